import { measure, setting } from '../../words/numbers';
import { tick } from '../chart-scale';
import { logTicks } from '../log-ticks';
import {
  crossPath,
  type LegendEntry,
  PICTURE_WIDTH,
  type Plot,
  pictureSvg,
  shapeAt,
  widthOf,
} from '../picture-frame';
import { plainTicks } from '../plain-ticks';
import { dashAttribute, escaped, n, type PictureLook, SMALL } from '../svg-document';
import { baseLabelPlace } from './base-label';
import { shapeOf } from './point-shape';
import {
  bandsOf,
  edgeOf,
  lossRange,
  marksOf,
  type RobustnessLine,
  type RobustnessMark,
  type RobustnessState,
  valueRange,
  valuesOf,
} from './robustness-state';

/** A robustness chart that shall leave the page. */
export interface RobustnessPicture {
  title: string;
  /** What was varied. */
  varied: string;
  state: RobustnessState;
  legend: readonly LegendEntry[];
}

const LOSS_TICKS = 7;
// Room for a label of the axis, in pixels.
const LABEL = 70;

/** The chart as a picture of its own. */
export function robustnessSvg(
  { title, varied, state, legend }: RobustnessPicture,
  look: PictureLook,
): string {
  const values = valuesOf(state);
  const [range, losses] = [valueRange(values), lossRange(state)];
  const frame = {
    title,
    across: varied,
    x: {
      range,
      log: true,
      ticks: values.length <= PICTURE_WIDTH / LABEL ? values : logTicks(...range),
      label: (value: number) => setting(Number(value.toPrecision(3))),
    },
    y: { range: losses, log: false, ticks: plainTicks(...losses, LOSS_TICKS, 0), label: tick },
    legend,
    shapeOf,
  };
  return pictureSvg(frame, look, (plot) => {
    const marks = marksOf(state).map((mark) => ({ ...mark, ...placeOf(mark, plot) }));
    return {
      inside: [
        ...state.lines.flatMap((line) => bandsIn(line, losses[1], plot, look)),
        ...state.lines.map((line) => lineOf(line, plot, look)),
      ],
      across: [
        ...(state.baseLoss === null ? [] : baseOf(state.baseLoss, marks, plot, look)),
        ...marks.map((mark) => markOf(mark, look.colourOf(mark.style))),
      ],
    };
  });
}

function placeOf({ kind, value, loss, row }: RobustnessMark, { x, y, top }: Plot) {
  const inside = kind === 'point' && loss !== null;
  return { x: x(value), y: inside ? y(loss) : top + edgeOf(row) + 3 };
}

/** A run that diverged is a gap; a value that the method was not tried at is none. */
function lineOf({ style, points }: RobustnessLine, { x, y }: Plot, look: PictureLook): string {
  let move = true;
  let path = '';
  for (const { value, loss } of points) {
    if (loss !== null) path += `${move ? 'M' : 'L'}${n(x(value))} ${n(y(loss))}`;
    move = loss === null;
  }
  if (path === '') return '';
  return `<path d="${path}" stroke="${look.colourOf(style)}" stroke-width="2.25"${dashAttribute(look.dashOf(style))}/>`;
}

function bandsIn(line: RobustnessLine, top: number, { x, y }: Plot, look: PictureLook): string[] {
  return bandsOf(line, top).map((outline) => {
    const places = outline.map(({ value, loss }) => `${n(x(value))} ${n(y(loss))}`);
    return `<path d="M${places.join('L')}Z" fill="${look.colourOf(line.style)}" fill-opacity="0.16"/>`;
  });
}

function markOf(mark: RobustnessMark & { x: number; y: number }, colour: string): string {
  const { kind, style, x, y, best } = mark;
  if (kind === 'cross') return crossPath(x, y, colour);
  if (kind === 'arrow') {
    const path = `M${n(x)} ${n(y + 6)}V${n(y - 6)}M${n(x - 5)} ${n(y - 1)}L${n(x)} ${n(y - 6)}L${n(x + 5)} ${n(y - 1)}`;
    return `<path d="${path}" stroke="${colour}" stroke-width="2.5" fill="none"/>`;
  }
  const ring = `<circle cx="${n(x)}" cy="${n(y)}" r="12" stroke="${colour}" stroke-width="2.5" fill="none"/>`;
  return shapeAt(shapeOf(style), x, y, colour) + (best ? ring : '');
}

function baseOf(
  loss: number,
  marks: readonly { x: number; y: number }[],
  { y, left, right }: Plot,
  look: PictureLook,
): string[] {
  const height = n(y(loss));
  const line = `<line x1="${left}" y1="${height}" x2="${right}" y2="${height}" stroke="${look.quietInk}" stroke-width="1" stroke-dasharray="2 3"/>`;
  const words = `base ${measure(loss)}`;
  const text = { width: widthOf(words), size: SMALL };
  const place = baseLabelPlace(y(loss), { left, right }, text, marks);
  if (place === undefined) return [line];
  const halo = `stroke="${look.ground}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"`;
  return [
    line,
    `<text x="${n(place.left)}" y="${n(place.baseline)}" fill="${look.quietInk}" font-size="${SMALL}" ${halo}>${escaped(words)}</text>`,
  ];
}
