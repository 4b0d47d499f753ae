/** A curve with few enough points to be kept. */
export interface ThinCurve {
  /** Rising; the last is the last that was measured. */
  steps: number[];
  values: (number | null)[];
}

/** More than a chart on a laptop can show apart. */
export const MOST_KEPT = 240;

/** Steps of a curve over `steps` that are kept: the first, the last, and others at equal distances. */
export function keptSteps(steps: number, most = MOST_KEPT): number[] {
  if (steps <= 0) return [];
  const stride = Math.max(1, Math.ceil((steps - 1) / (most - 1)));
  const kept: number[] = [];
  for (let step = 1; step < steps; step += stride) kept.push(step);
  return [...kept, steps];
}

/** The values of a curve, one a step from step 1, at the steps that are kept. */
export function thin(values: readonly (number | null)[], most = MOST_KEPT): ThinCurve {
  const steps = keptSteps(values.length, most);
  return { steps, values: steps.map((step) => finite(values[step - 1])) };
}

/** Of points with steps of their own, at most `most`, the first and the last among them. */
export function thinPoints<Point>(points: readonly Point[], most = MOST_KEPT): Point[] {
  return keptSteps(points.length, most).flatMap((place) => points[place - 1] ?? []);
}

function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
