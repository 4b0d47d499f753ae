/** Values of which some are missing, such as the losses of a run, one a step from step 1. */
type Values = readonly (number | null)[];

/** A curve with few enough points to be kept. */
export interface ThinCurve {
  /** Rising; the last is the last that was measured. */
  steps: number[];
  values: (number | null)[];
}

/** More than a chart on a laptop can show apart. */
export const MOST_KEPT = 240;

/**
 * Steps at which `curves` are kept: all where there are few, else the first and of each stretch of equal length the
 * last, and where each curve is lowest and highest. So no spike is lost. At most `most`, or three a curve.
 */
export function keptSteps(curves: readonly Values[], most = MOST_KEPT): number[] {
  const steps = Math.max(0, ...curves.map(({ length }) => length));
  if (steps <= most) return Array.from({ length: steps }, (_, index) => index + 1);
  const stretches = Math.max(1, Math.floor((most - 1) / (2 * curves.length + 1)));
  // A whole number of steps: while a training goes on, stretches that are over stay as they are.
  const length = Math.ceil(steps / stretches);
  const kept = new Set([1]);
  for (let first = 1; first <= steps; first += length) {
    const last = Math.min(steps, first + length - 1);
    for (const values of curves) {
      for (const step of extremes(values, first, last)) kept.add(step);
    }
    kept.add(last);
  }
  return [...kept].sort((one, other) => one - other);
}

/** The values of a curve, one a step from step 1, at the steps that are kept. */
export function thin(values: Values, most = MOST_KEPT): ThinCurve {
  const steps = keptSteps([values], most);
  return { steps, values: steps.map((step) => finite(values[step - 1])) };
}

/** A curve that was kept already, with at most `most` points. */
export function thinner(curve: ThinCurve, most: number): ThinCurve {
  const places = keptSteps([curve.values], most).map((place) => place - 1);
  return {
    steps: places.flatMap((place) => curve.steps[place] ?? []),
    values: places.map((place) => finite(curve.values[place])),
  };
}

/** Of losses with steps of their own, at most `most`, the first and the last among them. */
export function thinPoints<Point extends { loss: number | null }>(
  points: readonly Point[],
  most = MOST_KEPT,
): Point[] {
  const losses = points.map(({ loss }) => loss);
  return keptSteps([losses], most).flatMap((place) => points[place - 1] ?? []);
}

/** Curves over the steps of all of them; a step at which one was not kept is a gap in it. */
export function aligned(curves: readonly ThinCurve[]): { steps: number[]; values: (number | null)[][] } {
  const all = new Set(curves.flatMap(({ steps }) => steps));
  const steps = [...all].sort((one, other) => one - other);
  const places = new Map(steps.map((step, place) => [step, place]));
  const values = curves.map((curve) => {
    const own = new Array<number | null>(steps.length).fill(null);
    for (const [index, step] of curve.steps.entries())
      own[places.get(step) ?? 0] = curve.values[index] ?? null;
    return own;
  });
  return { steps, values };
}

/** Where `values` are lowest and highest between two steps; none where all are missing. */
function extremes(values: Values, first: number, last: number): number[] {
  let lowest: { step: number; value: number } | undefined;
  let highest: { step: number; value: number } | undefined;
  for (let step = first; step <= last; step += 1) {
    const value = finite(values[step - 1]);
    if (value === null) continue;
    if (lowest === undefined || value < lowest.value) lowest = { step, value };
    if (highest === undefined || value > highest.value) highest = { step, value };
  }
  return lowest === undefined || highest === undefined ? [] : [lowest.step, highest.step];
}

function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
