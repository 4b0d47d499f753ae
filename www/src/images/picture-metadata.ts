import { type ZipFile, zipOf } from '../share/zip';
import { PICTURE_SIZE, type PictureSet, rgba } from './pictures/picture';
import { OWN_SET } from './shelf';

/** What lies beside pictures with captions, for `datasets`, diffusers and exported scripts. */
export const METADATA = 'metadata.jsonl';

/** A file of captions, and of pictures where nobody has them but the page. */
export interface SavedPictures {
  file: string;
  content: Blob;
}

/** Captions of the user's own pictures, which stay where they are, or a zip of bundled pictures with theirs. */
export async function savedPictures(set: PictureSet): Promise<SavedPictures> {
  if (set.name === OWN_SET)
    return { file: METADATA, content: new Blob([metadataOf(set)], { type: 'application/jsonl' }) };
  const names = fileNames(set);
  async function* files(): AsyncGenerator<ZipFile> {
    yield { path: METADATA, content: metadataOf(set) };
    for (const [index, { pixels }] of set.pictures.entries())
      yield { path: names[index] ?? '', content: await pngOf(pixels) };
  }
  return { file: 'pictures.zip', content: await zipOf(files()) };
}

/** A line a picture: its file, its caption, and whether it is only measured on. */
export function metadataOf(set: PictureSet): string {
  const names = fileNames(set);
  const trained = set.pictures.length - set.validation;
  const lines = set.pictures.map(({ caption }, index) => ({
    file_name: names[index],
    text: caption,
    ...(index >= trained ? { validation: true } : {}),
  }));
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Pictures that came with the page have no files: they are numbered. */
function fileNames({ name, pictures }: PictureSet): string[] {
  if (name === OWN_SET) return pictures.map((picture) => picture.name);
  return pictures.map((_, index) => `${String(index + 1).padStart(3, '0')}.png`);
}

async function pngOf(pixels: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = new OffscreenCanvas(PICTURE_SIZE, PICTURE_SIZE);
  canvas.getContext('2d')?.putImageData(new ImageData(rgba(pixels), PICTURE_SIZE, PICTURE_SIZE), 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Uint8Array(await blob.arrayBuffer());
}
