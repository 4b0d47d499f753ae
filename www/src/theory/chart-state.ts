import type { ChartState } from '../charts/chart';
import { MOST_ITERATIONS } from './config';
import type { MethodCurve } from './lab';

// An error of 1 is the start; what climbs above this has left for good.
const CEILING = 100;

/** All curves over the iterations that any of them has; a method's index is its look. */
export function stateOf(curves: readonly MethodCurve[]): ChartState {
  // A logarithmic axis has no place for iteration 0.
  const all = new Set(curves.flatMap(({ iterations }) => iterations.filter((at) => at > 0)));
  const steps = [...all].sort((one, other) => one - other);
  const lines = curves.map(({ iterations, errors }, style) => {
    const errorAt = new Map(iterations.map((at, index) => [at, errors[index] ?? null]));
    const values = steps.map((at) => drawable(errorAt.get(at) ?? null));
    return { run: { style }, values, faint: false };
  });
  const marks = curves.flatMap(({ diverged_at }, style) =>
    diverged_at === null ? [] : [{ run: { style }, step: Math.max(1, diverged_at) }],
  );
  return { steps, curves: lines, marks, logScale: true, ceiling: CEILING, lastStep: MOST_ITERATIONS };
}

function drawable(error: number | null): number | null {
  return error !== null && Number.isFinite(error) && error > 0 ? error : null;
}
