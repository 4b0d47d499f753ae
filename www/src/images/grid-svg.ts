import { escaped, type PictureLook, SMALL, svgDocument, swatchAt } from '../charts/svg-document';

/** A row of pictures that shall leave the page. */
export interface GridRow {
  name: string;
  /** Look of the run; null has none. */
  style: number | null;
  /** Addresses of the pictures, `data:` and all; empty where there are none. */
  pictures: readonly string[];
  /** What stands in their place. */
  note: string;
}

/** Grids of drawings as one picture of its own. */
export interface GridPicture {
  title: string;
  captions: readonly string[];
  rows: readonly GridRow[];
}

const CELL = 84;
const GAP = 8;
const MARGIN = 24;
const NAMES = 190;
const TOP = 62;
const CAPTION = 15;

/** The picture, with its size in pixels. */
export function gridSvg({ title, captions, rows }: GridPicture, look: PictureLook) {
  const columns = Math.max(1, ...rows.map(({ pictures }) => pictures.length));
  const lines = Math.max(0, ...captions.map((caption) => broken(caption).length));
  const foot = lines * CAPTION + 12;
  const width = MARGIN * 2 + NAMES + columns * (CELL + GAP) - GAP;
  const height = TOP + rows.length * (CELL + GAP) + foot + MARGIN;
  const left = (column: number) => MARGIN + NAMES + column * (CELL + GAP);
  const body = rows.flatMap(({ name, style, pictures, note }, row) => {
    const top = TOP + row * (CELL + GAP);
    const middle = top + CELL / 2;
    const line = style === null ? '' : swatchAt(MARGIN, middle - 20, style, look);
    const names = broken(name, 22).map(
      (part, at) =>
        `<text x="${MARGIN}" y="${middle + at * 18}" fill="${look.ink}" font-size="${SMALL}">${escaped(part)}</text>`,
    );
    const images = pictures.map(
      (address, column) =>
        `<image x="${left(column)}" y="${top}" width="${CELL}" height="${CELL}" href="${address}" style="image-rendering: pixelated"/>`,
    );
    const instead =
      pictures.length > 0
        ? ''
        : `<text x="${left(0)}" y="${middle}" fill="${look.quietInk}" font-size="${SMALL}">${escaped(note)}</text>`;
    return [line, ...names, ...images, instead];
  });
  const below = captions.flatMap((caption, column) =>
    broken(caption).map(
      (part, at) =>
        `<text x="${left(column) + CELL / 2}" y="${TOP + rows.length * (CELL + GAP) + CAPTION * (at + 0.6)}" fill="${look.quietInk}" font-size="11" text-anchor="middle">${escaped(part)}</text>`,
    ),
  );
  const svg = svgDocument(title, MARGIN, { width, height }, look, [...body, ...below]);
  return { svg, width, height };
}

/** Words in lines of about so many letters. */
function broken(text: string, letters = 14): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
