/** Of which kind an axis of values is, and where it ends. */
export interface ValueScale {
  logScale: boolean;
  /** Values above are out of sight in the linear chart: a diverging run must not flatten the others. */
  ceiling: number;
}

/** What the axis of values spans, given the lowest and highest of them; null where there is none. */
export function rangeOf(state: ValueScale, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return state.logScale ? [0.1, 10] : [0, 1];
  const top = Math.min(high, state.ceiling);
  if (state.logScale) {
    const ratio = Math.max(1.05, (top / low) ** 0.06);
    return [oneDigit(low / ratio), top * ratio];
  }
  if (low === 0 && top === 0) return [0, 1];
  // Learning rates are small numbers, so the least room is a share of what is shown.
  const room = Math.max((top - low) * 0.06, Math.abs(top) * 0.005);
  return [low - room, top + room];
}

/** Rounded down to one digit: from 9.5e-3 and the like, uPlot 1.6 steps past 1e-2 and then counts in steps of 0. */
function oneDigit(value: number): number {
  const [digits = '1', exponent = '0'] = value.toExponential().split('e');
  return Number(`${Math.floor(Number(digits))}e${exponent}`);
}

/** The label at `value` of an axis. */
export function tick(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return Number(value.toPrecision(3)).toExponential();
  return String(Number(value.toPrecision(4)));
}
