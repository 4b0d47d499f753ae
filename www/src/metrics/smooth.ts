/**
 * Exponential moving average, corrected for its start at 0: the first value is kept as it is.
 * `weight` 0 changes nothing; gaps stay gaps and do not count.
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let mean = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}
