import { tick } from '../../charts/chart-scale';
import { escaped, n, type PictureLook, svgDocument } from '../../charts/svg-document';
import type { LayerMapState } from './layer-map-state';

const LEFT = 150;
const TOP = 96;
const WIDTH = 900;
// Heights of a row: the map shall not be higher than a page.
const ROW = { least: 7, most: 16, all: 640 };
const BOTTOM = 56;
const RIGHT = 24;
const LETTERS = 12;
const KEY = { width: 160, height: 10, top: 56 };
// Between two labels of layers, in pixels.
const LABEL = 15;

/** The map as a picture of its own; `colourAt` gives the colour of a share. */
export function layerMapSvg(
  title: string,
  state: LayerMapState,
  names: readonly string[],
  look: PictureLook,
  colourAt: (share: number) => string,
): { svg: string; width: number; height: number } {
  const { steps, shares, span } = state;
  const across = WIDTH / Math.max(1, steps.length);
  const row = Math.round(Math.min(ROW.most, Math.max(ROW.least, ROW.all / names.length)));
  const height = TOP + names.length * row + BOTTOM;
  const width = LEFT + WIDTH + RIGHT;
  const cells = shares.flatMap((column, index) =>
    column.flatMap((share, layer) =>
      share === null
        ? []
        : [
            `<rect x="${n(LEFT + index * across)}" y="${TOP + layer * row}" width="${n(across + 0.3)}" height="${row + 0.3}" fill="${colourAt(share)}"/>`,
          ],
    ),
  );
  const letters = `fill="${look.quietInk}" font-size="${LETTERS}"`;
  const every = Math.ceil(LABEL / row);
  const rows = names.flatMap((name, layer) =>
    layer % every === 0
      ? [
          `<text x="${LEFT - 8}" y="${TOP + (layer + 0.5) * row + LETTERS / 3}" text-anchor="end" ${letters}>${escaped(name)}</text>`,
        ]
      : [],
  );
  const ends = [steps[0], steps.at(-1)].map((step, index) => {
    const place = index === 0 ? `x="${LEFT}"` : `x="${LEFT + WIDTH}" text-anchor="end"`;
    return `<text ${place} y="${height - BOTTOM + 20}" ${letters}>step ${step ?? ''}</text>`;
  });
  const key = span === null ? [] : keyOf(span, letters, colourAt);
  return {
    svg: svgDocument(title, LEFT, { width, height }, look, [...cells, ...rows, ...ends, ...key]),
    width,
    height,
  };
}

/** What the colours mean. */
function keyOf([low, high]: readonly [number, number], letters: string, colourAt: (share: number) => string) {
  const pieces = 32;
  const piece = KEY.width / pieces;
  const left = LEFT + 64;
  const bars = Array.from(
    { length: pieces },
    (_, index) =>
      `<rect x="${n(left + index * piece)}" y="${KEY.top}" width="${n(piece + 0.3)}" height="${KEY.height}" fill="${colourAt(index / (pieces - 1))}"/>`,
  );
  const baseline = KEY.top + KEY.height;
  return [
    `<text x="${left - 8}" y="${baseline}" text-anchor="end" ${letters}>${tick(low)}</text>`,
    ...bars,
    `<text x="${left + KEY.width + 8}" y="${baseline}" ${letters}>${tick(high)}</text>`,
  ];
}
