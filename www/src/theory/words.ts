import type { TheoryGeometry } from '../protocol';
import { count, measure, setting } from '../words/numbers';
import { MOST_ITERATIONS, TARGET, theoryMethodNames } from './config';
import type { MethodCurve } from './lab';

/** What became of a method, for a table's cell. */
export function iterationsOf(curve: MethodCurve): string {
  if (curve.arrived_at !== null) return count(curve.arrived_at);
  if (curve.diverged_at !== null) return `diverged at ${count(curve.diverged_at)}`;
  return curve.done ? `more than ${count(MOST_ITERATIONS)}` : '…';
}

/** The same as a sentence. */
export function sentenceOf(curve: MethodCurve): string {
  const name = theoryMethodNames[curve.method];
  if (curve.arrived_at !== null) {
    return `${name} reached ${TARGET} after ${count(curve.arrived_at)} iterations.`;
  }
  if (curve.diverged_at !== null) return `${name} diverged at iteration ${count(curve.diverged_at)}.`;
  if (!curve.done) return `${name} is on its way.`;
  const error = measure(curve.errors.at(-1) ?? null);
  return `${name} did not reach ${TARGET} within ${count(MOST_ITERATIONS)} iterations; its error is ${error}.`;
}

/** Whether each method took the same path from other factors of the same product, in a sentence. */
export function invarianceWords(
  one: readonly MethodCurve[],
  other: readonly MethodCurve[],
  condition: number,
): string {
  const told = one.map((curve, index) => {
    const name = theoryMethodNames[curve.method];
    const apart = largestDifference(curve, other[index]);
    if (apart < SAME)
      return `${name} takes the same path (errors differ by at most ${measure(apart)} of themselves)`;
    const [from, to] = [iterationsOf(curve), other[index] === undefined ? '–' : iterationsOf(other[index])];
    return from === to
      ? `${name} takes another path`
      : `${name} takes another path (iterations: ${from} and ${to})`;
  });
  return `From BR and R⁻¹A with a condition of R of ${setting(condition)}, the same product: ${told.join('; ')}.`;
}

// Rounding and damping are far below, other paths far above.
const SAME = 1e-2;

/** The largest relative difference of errors at iterations that both curves have. */
function largestDifference(one: MethodCurve, other: MethodCurve | undefined): number {
  const errorAt = new Map(other?.iterations.map((at, index) => [at, other.errors[index] ?? Number.NaN]));
  const differences = one.iterations.flatMap((at, index) => {
    const [first, second] = [one.errors[index] ?? Number.NaN, errorAt.get(at)];
    if (second === undefined) return [];
    return Number.isFinite(first) && Number.isFinite(second) ? [Math.abs(first - second) / first] : [];
  });
  const ends = one.diverged_at === other?.diverged_at;
  return ends ? Math.max(0, ...differences) : Number.POSITIVE_INFINITY;
}

/** How hard the problem is, and what the theorem would have it be. */
export function geometryFacts(geometry: TheoryGeometry): (readonly [string, string])[] {
  const bare = (value: number) => (value < 1e-9 ? '0' : String(Number(value.toPrecision(3))));
  return [
    ['Condition of the change', bare(geometry.planted_condition)],
    ['Condition of X', bare(geometry.data_condition)],
    ['Worst condition of a block Dᵢ X', bare(geometry.block_condition)],
    ['Condition of all blocks side by side', bare(geometry.stacked_condition)],
    ['Isometry constant δ', `${bare(geometry.isometry_constant)} (theorem: 0.01)`],
    ['Overlap of patterns', `${bare(geometry.overlap)} (theorem: ${bare(geometry.allowed_overlap)})`],
  ];
}

/** Whether Assumption 7.2 holds, in a sentence. */
export function assumptionWords(geometry: TheoryGeometry): string {
  const isometric = geometry.isometry_constant <= 0.01;
  const apart = geometry.overlap <= geometry.allowed_overlap;
  if (isometric && apart) return 'The theorem’s assumption holds for this problem.';
  const broken = [
    isometric ? '' : 'blocks are no near-isometries',
    apart ? '' : 'patterns share too many rows',
  ].filter(Boolean);
  return `The theorem’s assumption does not hold for this problem: ${broken.join(', and ')}.`;
}
