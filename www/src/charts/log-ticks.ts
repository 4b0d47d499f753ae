const MOST_DECADES = 6;
const MOST_STEPS = 8;
// A step that is right but for the last bits is right.
const ROUNDING = 1e-9;

/**
 * Where a logarithmic axis has its labels: powers of ten where it spans many of them, also 2 and 5 where few, and
 * even steps where the axis spans less than one and is nearly a plain one.
 */
export function logTicks(low: number, high: number): number[] {
  if (!(low > 0 && high >= low && Number.isFinite(high))) return [];
  const decades = Math.log10(high / low);
  if (decades < 1) return evenly(low, high);
  const mantissas = decades <= 2 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(decades / MOST_DECADES));
  const first = Math.ceil(Math.floor(Math.log10(low)) / stride) * stride - stride;
  const ticks: number[] = [];
  for (let power = first; 10 ** power <= high; power += stride) {
    // Read from text, 1e-3 is what it looks like; 10 ** -3 need not be.
    ticks.push(...mantissas.map((mantissa) => Number(`${mantissa}e${power}`)));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

function evenly(low: number, high: number): number[] {
  const rough = (high - low) / MOST_STEPS;
  if (rough <= 0) return [low];
  const power = Math.floor(Math.log10(rough));
  const mantissa = [1, 2, 5, 10].find((one) => one * 10 ** power >= rough * (1 - ROUNDING)) ?? 10;
  const step = mantissa * 10 ** power;
  const ticks: number[] = [];
  for (let count = Math.ceil(low / step); count * step <= high; count += 1) {
    ticks.push(Number((count * step).toPrecision(12)));
  }
  return ticks;
}
