import { escaped, n, type PictureLook, SMALL, SWATCH, svgDocument, swatchAt } from './svg-document';

/** A name and its look, in the legend of a picture. */
export interface LegendEntry {
  style: number;
  name: string;
}

/** One axis of a picture. */
export interface PictureAxis {
  range: readonly [number, number];
  log: boolean;
  ticks: readonly number[];
  label(value: number): string;
}

/** What every picture has. */
export interface PictureFrame {
  title: string;
  /** What the horizontal axis counts. */
  across: string;
  x: PictureAxis;
  y: PictureAxis;
  legend: readonly LegendEntry[];
  /** A point that the legend shows on each line; empty where there is none. */
  shapeOf?(style: number): string;
}

/** Where values are in a picture, in pixels. */
export interface Plot {
  x: Scale;
  y: Scale;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** What is drawn into a frame: what ends at its edges, and what may stand across them. */
export interface PlotContent {
  inside: readonly string[];
  across: readonly string[];
}

/** Of every picture, in pixels of CSS. */
export const PICTURE_WIDTH = 960;
export const PICTURE_HEIGHT = 560;

const LEFT = 76;
const RIGHT = 28;
const BOTTOM = 62;
const LEGEND_TOP = 66;
const LEGEND_LINE = 24;
// Letters cannot be measured without a page; sans-serif ones are about so wide for their size.
const LETTER = 0.64;
/** From a value to its place. */
export type Scale = (value: number) => number;

/** A picture of its own, which needs nothing from the page: title, legend, axes, and what `draw` makes. */
export function pictureSvg(
  frame: PictureFrame,
  look: PictureLook,
  draw: (plot: Plot) => PlotContent,
): string {
  const { title, across, x: horizontal, y: vertical } = frame;
  const legend = legendOf(frame, look);
  const [left, right] = [LEFT, PICTURE_WIDTH - RIGHT];
  const [top, bottom] = [LEGEND_TOP + legend.lines * LEGEND_LINE, PICTURE_HEIGHT - BOTTOM];
  const x = scale(horizontal.range, [left, right], horizontal.log);
  const y = scale(vertical.range, [bottom, top], vertical.log);
  const text = (at: string, words: string, anchor = 'middle') =>
    `<text ${at} fill="${look.quietInk}" font-size="${SMALL}" text-anchor="${anchor}">${escaped(words)}</text>`;
  const line = (from: string) => `<line ${from} stroke="${look.grid}" stroke-width="1"/>`;
  const grid = [
    ...horizontal.ticks.map((at) => line(`x1="${n(x(at))}" y1="${top}" x2="${n(x(at))}" y2="${bottom}"`)),
    ...vertical.ticks.map((at) => line(`x1="${left}" y1="${n(y(at))}" x2="${right}" y2="${n(y(at))}"`)),
  ];
  const labels = [
    ...horizontal.ticks.map((at) => text(`x="${n(x(at))}" y="${bottom + 22}"`, horizontal.label(at))),
    ...vertical.ticks.map((at) => text(`x="${left - 10}" y="${n(y(at) + 5)}"`, vertical.label(at), 'end')),
    text(`x="${(left + right) / 2}" y="${PICTURE_HEIGHT - 14}"`, across),
  ];
  const drawing = draw({ x, y, left, right, top, bottom });
  const size = { width: PICTURE_WIDTH, height: PICTURE_HEIGHT };
  return svgDocument(title, left, size, look, [
    `<defs><clipPath id="plot"><rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/></clipPath></defs>`,
    legend.svg,
    ...grid,
    ...labels,
    `<g clip-path="url(#plot)" fill="none" stroke-linejoin="round">`,
    ...drawing.inside,
    '</g>',
    ...drawing.across,
  ]);
}

/** A cross: there a run diverged. */
export function crossPath(x: number, y: number, colour: string): string {
  const size = 6;
  const strokes = [
    `M${n(x - size)} ${n(y - size)}L${n(x + size)} ${n(y + size)}`,
    `M${n(x + size)} ${n(y - size)}L${n(x - size)} ${n(y + size)}`,
  ];
  return `<path d="${strokes.join('')}" stroke="${colour}" stroke-width="2.5" fill="none"/>`;
}

/** How wide small letters are, about: nothing measures them without a page. */
export function widthOf(words: string): number {
  return words.length * SMALL * LETTER;
}

function legendOf({ legend, shapeOf }: PictureFrame, look: PictureLook): { svg: string; lines: number } {
  let left = LEFT;
  let lines = 0;
  const entries = legend.map(({ style, name }) => {
    const width = SWATCH + 8 + widthOf(name) + 22;
    if (left > LEFT && left + width > PICTURE_WIDTH - RIGHT) {
      left = LEFT;
      lines += 1;
    }
    const y = LEGEND_TOP + lines * LEGEND_LINE;
    const colour = look.colourOf(style);
    const swatch = swatchAt(left, y - 5, style, look);
    const shape = shapeOf?.(style) ?? '';
    const point = shape === '' ? '' : shapeAt(shape, left + SWATCH / 2, y - 5, colour);
    const words = `<text x="${n(left + SWATCH + 8)}" y="${y}" fill="${look.ink}" font-size="${SMALL}">${escaped(name)}</text>`;
    left += width;
    return swatch + point + words;
  });
  return { svg: entries.join('\n'), lines: legend.length === 0 ? 0 : lines + 1 };
}

/** A point's outline, one unit in each direction, at its place. */
export function shapeAt(shape: string, x: number, y: number, colour: string, size = 5.5): string {
  return `<path d="${shape}" transform="translate(${n(x)} ${n(y)}) scale(${size})" fill="${colour}"/>`;
}

function scale([low, high]: readonly [number, number], [from, to]: [number, number], log: boolean): Scale {
  const place = log ? Math.log : (value: number) => value;
  const span = place(high) - place(low) || 1;
  return (value) => from + ((place(value) - place(low)) / span) * (to - from);
}
