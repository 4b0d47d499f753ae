import type { ChartState, Curve, EndMark } from '../ui/chart';
import { rangeOf, tick } from '../ui/chart-scale';
import { logTicks } from '../ui/log-ticks';

/** A chart that shall leave the page. */
export interface ChartPicture {
  title: string;
  /** What the axis of steps counts. */
  stepName: string;
  state: ChartState;
  /** Whether the axis of steps is logarithmic. */
  logSteps: boolean;
  /** Whether each value has a dot of its own. */
  points: boolean;
  legend: readonly { style: number; name: string }[];
}

/** Colours and letters of a picture. */
export interface PictureLook {
  ground: string;
  ink: string;
  quietInk: string;
  grid: string;
  font: string;
  colourOf(style: number): string;
  dashOf(style: number): readonly number[];
}

/** Of every picture, in pixels of CSS. */
export const PICTURE_WIDTH = 960;
export const PICTURE_HEIGHT = 560;

const LEFT = 76;
const RIGHT = 28;
const BOTTOM = 62;
const TITLE_BASELINE = 38;
const LEGEND_TOP = 66;
const LEGEND_LINE = 24;
const SWATCH = 34;
// Letters cannot be measured without a page; sans-serif ones are about so wide for their size.
const LETTER = 0.64;
const SMALL = 14;
const STEP_TICKS = 10;
const VALUE_TICKS = 7;

type Scale = (value: number) => number;

/** The chart as a picture of its own, which needs nothing from the page. */
export function chartSvg(picture: ChartPicture, look: PictureLook): string {
  const { state, title } = picture;
  const legend = legendOf(picture, look);
  const top = LEGEND_TOP + legend.lines * LEGEND_LINE;
  const bottom = PICTURE_HEIGHT - BOTTOM;
  const right = PICTURE_WIDTH - RIGHT;
  const steps = [picture.logSteps ? 1 : 0, Math.max(2, state.lastStep)] as const;
  const seen = state.curves.flatMap(({ values }) => values.filter((value) => value !== null));
  const low = seen.length > 0 ? smallest(seen) : null;
  const high = seen.length > 0 ? largest(seen) : null;
  const values = rangeOf(state, low, high);
  const x = scale(steps, [LEFT, right], picture.logSteps);
  const y = scale(values, [bottom, top], state.logScale);

  const stepTicks = picture.logSteps ? logTicks(...steps) : plainTicks(...steps, STEP_TICKS, 1);
  const valueTicks = state.logScale ? logTicks(...values) : plainTicks(...values, VALUE_TICKS, 0);
  const text = (at: string, words: string, anchor = 'middle') =>
    `<text ${at} fill="${look.quietInk}" font-size="${SMALL}" text-anchor="${anchor}">${escaped(words)}</text>`;
  const line = (from: string) => `<line ${from} stroke="${look.grid}" stroke-width="1"/>`;
  const grid = [
    ...stepTicks.map((at) => line(`x1="${n(x(at))}" y1="${top}" x2="${n(x(at))}" y2="${bottom}"`)),
    ...valueTicks.map((at) => line(`x1="${LEFT}" y1="${n(y(at))}" x2="${right}" y2="${n(y(at))}"`)),
  ];
  const labels = [
    ...stepTicks.map((at) => text(`x="${n(x(at))}" y="${bottom + 22}"`, tick(at))),
    ...valueTicks.map((at) => text(`x="${LEFT - 10}" y="${n(y(at) + 5)}"`, tick(at), 'end')),
    text(`x="${(LEFT + right) / 2}" y="${PICTURE_HEIGHT - 14}"`, picture.stepName),
  ];
  const curves = state.curves.map((curve) => curveOf(curve, state.steps, x, y, picture.points, look));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PICTURE_WIDTH}" height="${PICTURE_HEIGHT}" viewBox="0 0 ${PICTURE_WIDTH} ${PICTURE_HEIGHT}" role="img" font-family="${escaped(look.font)}">`,
    `<title>${escaped(title)}</title>`,
    `<defs><clipPath id="plot"><rect x="${LEFT}" y="${top}" width="${right - LEFT}" height="${bottom - top}"/></clipPath></defs>`,
    `<rect width="${PICTURE_WIDTH}" height="${PICTURE_HEIGHT}" fill="${look.ground}"/>`,
    `<text x="${LEFT}" y="${TITLE_BASELINE}" fill="${look.ink}" font-size="20" font-weight="600">${escaped(title)}</text>`,
    legend.svg,
    ...grid,
    ...labels,
    `<g clip-path="url(#plot)" fill="none" stroke-linejoin="round">`,
    ...curves,
    '</g>',
    ...state.marks.map((mark, index) => markOf(mark, index, x, top, look)),
    '</svg>',
  ].join('\n');
}

/** A line through all values: gaps are bridged, as on the page. */
function curveOf(
  { run, values, faint }: Curve,
  steps: readonly number[],
  x: Scale,
  y: Scale,
  points: boolean,
  look: PictureLook,
): string {
  const places = steps.flatMap((step, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [`${n(x(step))} ${n(y(value))}`];
  });
  if (places.length === 0) return '';
  const colour = look.colourOf(run.style);
  const dash = faint ? '' : look.dashOf(run.style).join(' ');
  const pattern = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  const weight = faint ? 'stroke-width="1" stroke-opacity="0.28"' : 'stroke-width="2.25"';
  const path = `<path d="M${places.join('L')}" stroke="${colour}" ${weight}${pattern}/>`;
  // A path of one place has no length to be drawn.
  if (faint || (!points && places.length > 1)) return path;
  const dots = places.map((place) => {
    const [cx, cy] = place.split(' ');
    return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
  });
  return [path, ...dots].join('');
}

/** A cross where a run diverged. */
function markOf({ run, step }: EndMark, index: number, x: Scale, top: number, look: PictureLook): string {
  const [cx, cy, size] = [x(step), top + 12 + 18 * index, 6];
  const strokes = [
    `M${n(cx - size)} ${n(cy - size)}L${n(cx + size)} ${n(cy + size)}`,
    `M${n(cx + size)} ${n(cy - size)}L${n(cx - size)} ${n(cy + size)}`,
  ];
  return `<path d="${strokes.join('')}" stroke="${look.colourOf(run.style)}" stroke-width="2.5" fill="none"/>`;
}

function legendOf({ legend }: ChartPicture, look: PictureLook): { svg: string; lines: number } {
  let left = LEFT;
  let lines = 0;
  const entries = legend.map(({ style, name }) => {
    const width = SWATCH + 8 + name.length * SMALL * LETTER + 22;
    if (left > LEFT && left + width > PICTURE_WIDTH - RIGHT) {
      left = LEFT;
      lines += 1;
    }
    const y = LEGEND_TOP + lines * LEGEND_LINE;
    const dash = look.dashOf(style).join(' ');
    const pattern = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
    const swatch = `<line x1="${n(left)}" y1="${y - 5}" x2="${n(left + SWATCH)}" y2="${y - 5}" stroke="${look.colourOf(style)}" stroke-width="3"${pattern}/>`;
    const words = `<text x="${n(left + SWATCH + 8)}" y="${y}" fill="${look.ink}" font-size="${SMALL}">${escaped(name)}</text>`;
    left += width;
    return swatch + words;
  });
  return { svg: entries.join('\n'), lines: legend.length === 0 ? 0 : lines + 1 };
}

function scale([low, high]: readonly [number, number], [from, to]: [number, number], log: boolean): Scale {
  const place = log ? Math.log : (value: number) => value;
  const span = place(high) - place(low) || 1;
  return (value) => from + ((place(value) - place(low)) / span) * (to - from);
}

/** Even steps of 1, 2 or 5 times a power of ten, about `most` of them, and none smaller than `least`. */
function plainTicks(low: number, high: number, most: number, least: number): number[] {
  const rough = Math.max((high - low) / most, least);
  if (!(rough > 0 && Number.isFinite(rough))) return [];
  const power = Math.floor(Math.log10(rough));
  const mantissa = [1, 2, 5, 10].find((one) => one * 10 ** power >= rough * (1 - 1e-9)) ?? 10;
  const step = mantissa * 10 ** power;
  const ticks: number[] = [];
  for (let count = Math.ceil(low / step); count * step <= high; count += 1) {
    ticks.push(Number((count * step).toPrecision(12)));
  }
  return ticks;
}

// There may be more values than a call can have arguments.
function largest(values: readonly number[]): number {
  return values.reduce((top, value) => Math.max(top, value), Number.NEGATIVE_INFINITY);
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}

/** A coordinate: hundredths of a pixel are enough, and nothing may leave the numbers that SVG knows. */
function n(value: number): string {
  return String(Math.round(Math.max(-1e5, Math.min(1e5, value)) * 100) / 100);
}

// XML has no place for control characters, not even escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

function escaped(words: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return words
    .toWellFormed()
    .replace(forbidden, '')
    .replace(/[&<>"]/g, (letter) => names[letter] ?? letter);
}
