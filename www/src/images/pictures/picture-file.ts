import { failed, type Result, success, wordsOf } from '../../result';
import { PICTURE_SIZE, type Picture, type PictureSet } from './picture';

/** Bytes of a safetensors file before its header. */
const LENGTH_BYTES = 8;
const PICTURE_BYTES = PICTURE_SIZE * PICTURE_SIZE * 3;

interface Header {
  __metadata__: { captions: string; validation: string };
  pictures: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** Reads a file of scripts/make-icons: `pictures` [N, 24, 24, 3] of bytes, with captions in the metadata. */
export function readPictureFile(name: string, bytes: Uint8Array): Result<PictureSet> {
  const wrong = (cause: string) =>
    failed('data', `${name} holds no pictures (${cause}). Load the page again.`);
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = LENGTH_BYTES + Number(view.getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, start))) as Header;
    const captions = JSON.parse(header.__metadata__.captions) as string[];
    const { dtype, shape } = header.pictures;
    const wanted = [captions.length, PICTURE_SIZE, PICTURE_SIZE, 3].join();
    if (dtype !== 'U8' || shape.join() !== wanted) return wrong(`its shape is ${shape.join(' × ')}`);
    if (bytes.length - start !== captions.length * PICTURE_BYTES) return wrong('it has another length');
    const pictures = captions.map((caption, index): Picture => {
      const from = start + index * PICTURE_BYTES;
      return { name: caption, caption, pixels: bytes.slice(from, from + PICTURE_BYTES) as Picture['pixels'] };
    });
    return success({ name, pictures, validation: Number(header.__metadata__.validation) });
  } catch (thrown) {
    return wrong(wordsOf(thrown));
  }
}
