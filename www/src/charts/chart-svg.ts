import type { ChartState, Curve } from './chart';
import { rangeOf, tick } from './chart-scale';
import { logTicks } from './log-ticks';
import { crossPath, type LegendEntry, type Plot, pictureSvg } from './picture-frame';
import { plainTicks } from './plain-ticks';
import { dashAttribute, n, type PictureLook } from './svg-document';

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
  legend: readonly LegendEntry[];
}

const STEP_TICKS = 10;
const VALUE_TICKS = 7;

/** The chart as a picture of its own. */
export function chartSvg(
  { state, title, stepName, logSteps, points, legend }: ChartPicture,
  look: PictureLook,
): string {
  const steps = [logSteps ? 1 : 0, Math.max(2, state.lastStep)] as const;
  const seen = state.curves.flatMap(({ values }) => values.filter((value) => value !== null));
  const low = seen.length > 0 ? smallest(seen) : null;
  const high = seen.length > 0 ? largest(seen) : null;
  const values = rangeOf(state, low, high);
  const stepTicks = logSteps ? logTicks(...steps) : plainTicks(...steps, STEP_TICKS, 1);
  const valueTicks = state.logScale ? logTicks(...values) : plainTicks(...values, VALUE_TICKS, 0);
  const frame = {
    title,
    across: stepName,
    x: { range: steps, log: logSteps, ticks: stepTicks, label: tick },
    y: { range: values, log: state.logScale, ticks: valueTicks, label: tick },
    legend,
  };
  return pictureSvg(frame, look, (plot) => ({
    inside: state.curves.map((curve) => curveOf(curve, state.steps, plot, points, look)),
    across: state.marks.map(({ run, step }, index) =>
      crossPath(plot.x(step), plot.top + 12 + 18 * index, look.colourOf(run.style)),
    ),
  }));
}

/** A line through all values: gaps are bridged, as on the page. */
function curveOf(
  { run, values, faint }: Curve,
  steps: readonly number[],
  { x, y }: Plot,
  points: boolean,
  look: PictureLook,
): string {
  const places = steps.flatMap((step, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [`${n(x(step))} ${n(y(value))}`];
  });
  if (places.length === 0) return '';
  const colour = look.colourOf(run.style);
  const pattern = faint ? '' : dashAttribute(look.dashOf(run.style));
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

// There may be more values than a call can have arguments.
function largest(values: readonly number[]): number {
  return values.reduce((top, value) => Math.max(top, value), Number.NEGATIVE_INFINITY);
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}
