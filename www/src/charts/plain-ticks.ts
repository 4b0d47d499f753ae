/** Even steps of 1, 2 or 5 times a power of ten, about `most` of them, and none smaller than `least`. */
export function plainTicks(low: number, high: number, most: number, least: number): number[] {
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
