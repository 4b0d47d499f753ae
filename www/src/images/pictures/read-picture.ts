import { failed, type Result, success } from '../../result';
import { bytes } from '../../words/numbers';
import { type ImageFacts, imageFacts } from './image-header';
import { PICTURE_SIZE, type Picture } from './picture';
import { type FittedArea, fitted, isTransparent, reduced } from './reduce';

/** What became of a file. */
export interface ReadPicture {
  file: File;
  result: Result<{
    picture: Picture;
    /** What was done to it that the user may not expect. */
    notes: string[];
  }>;
}

const MOST_BYTES = 20e6;
const MOST_SVG_BYTES = 1e6;
/** A decoded pixel takes four bytes. */
const MOST_PIXELS = 40e6;
const KINDS = 'PNG, JPEG, WebP, GIF or SVG';
// As scripts/icons: drawn larger and averaged, which has smoother edges than a browser's own at this size.
const OVERSAMPLING = 4;
const SIDE = PICTURE_SIZE * OVERSAMPLING;

/** Reads pictures one after the other, in their order; one that cannot be read does not stop the others. */
export async function readPictures(
  files: readonly File[],
  onRead?: (done: number, total: number) => void,
): Promise<ReadPicture[]> {
  const all: ReadPicture[] = [];
  for (const file of files) {
    all.push({ file, result: await readPicture(file) });
    onRead?.(all.length, files.length);
  }
  return all;
}

/** What is wrong with a file before it is decoded; empty where nothing is. `facts` are those of its header. */
export function whatIsWrong(name: string, size: number, facts: ImageFacts | null): string {
  if (size === 0) return `${name} is empty (0 bytes). Save it again.`;
  if (facts === null) return `${name} is no ${KINDS}, or is damaged. Save it as one of these.`;
  const most = facts.kind === 'svg' ? MOST_SVG_BYTES : MOST_BYTES;
  if (size > most)
    return `${name} has ${bytes(size)}, more than the ${bytes(most)} that are read. Make it smaller.`;
  const { kind, width, height } = facts;
  if (kind !== 'svg' && (width === 0 || height === 0)) return `${name} has no pixels. Save it again.`;
  if (width * height > MOST_PIXELS) {
    return `${name} has ${width} × ${height} pixels, and ${MOST_PIXELS / 1e6} million are read. Make it smaller.`;
  }
  return '';
}

/** The words of a file's name, as a first caption. */
export function captionOf(name: string): string {
  const stem = name.replace(/\.[^.]*$/, '');
  return (stem.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');
}

async function readPicture(file: File): Promise<ReadPicture['result']> {
  const damaged = `${file.name} cannot be decoded. It may be damaged; save it again as PNG.`;
  try {
    // A header is at the front, but that of a JPEG comes after its thumbnail.
    const head = new Uint8Array(await file.slice(0, MOST_SVG_BYTES).arrayBuffer());
    const facts = imageFacts(head);
    const wrong = whatIsWrong(file.name, file.size, facts);
    if (wrong !== '' || facts === null) return failed('picture', wrong);
    const drawn = facts.kind === 'svg' ? await drawSvg(file) : await drawPixels(file);
    if (drawn === null) return failed('picture', damaged);
    const notes: string[] = [];
    if (facts.animated) notes.push('animated: its first frame was taken');
    if (isTransparent(drawn.rgba, SIDE, drawn.box)) notes.push('transparent: it was put on white');
    if (Math.abs(drawn.box.width - drawn.box.height) > 1) notes.push('not square: white was put beside it');
    const pixels = reduced(drawn.rgba, SIDE, OVERSAMPLING);
    return success({ picture: { name: file.name, caption: captionOf(file.name), pixels }, notes });
  } catch {
    return failed('picture', damaged);
  }
}

interface Drawn {
  rgba: Uint8ClampedArray;
  box: FittedArea;
}

async function drawPixels(file: File): Promise<Drawn | null> {
  const bitmap = await createImageBitmap(file);
  try {
    return draw(bitmap, fitted(bitmap.width, bitmap.height, SIDE));
  } finally {
    bitmap.close();
  }
}

/** An SVG needs an image of the document: bitmaps are made of pixels only. As one it loads nothing and runs no script. */
async function drawSvg(file: File): Promise<Drawn | null> {
  const url = URL.createObjectURL(new Blob([file], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    // One without a size of its own fills what it is given.
    const { naturalWidth: width, naturalHeight: height } = image;
    return draw(image, width > 0 && height > 0 ? fitted(width, height, SIDE) : fitted(1, 1, SIDE));
  } finally {
    URL.revokeObjectURL(url);
  }
}

function draw(image: CanvasImageSource, box: FittedArea): Drawn | null {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return null;
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, box.x, box.y, box.width, box.height);
  return { rgba: context.getImageData(0, 0, SIDE, SIDE).data, box };
}
