/** Numbers and amounts as the page writes them. */

const decimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `98.3 MB`. */
export function bytes(amount: number): string {
  return scaled(amount, ['B', 'kB', 'MB', 'GB', 'TB'], (value, unit) => (unit < 2 || value >= 100 ? 0 : 1));
}

/** `12,345`. */
export function count(amount: number): string {
  return Number.isFinite(amount) ? whole.format(amount) : '–';
}

/** `134.5 M`. */
export function large(amount: number): string {
  return amount < 1e4 ? whole.format(amount) : scaled(amount / 1e3, ['k', 'M', 'B'], () => 1);
}

/** In the largest of `units`, each a thousand of the one before, of which there is 1 or more. */
function scaled(
  amount: number,
  units: readonly string[],
  decimals: (value: number, unit: number) => number,
): string {
  let value = amount;
  let unit = 0;
  // What is rounded to 1000 of a unit is 1 of the next.
  while (rounded(value, decimals(value, unit)) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${decimal.format(rounded(value, decimals(value, unit)))} ${units[unit]}`;
}

/** A loss or a norm: four digits that matter. */
export function measure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(Number(value.toPrecision(4)));
  return size >= 1e4 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(4);
}

/** A hyper-parameter as one would type it: `1e-3`, `0.9`. */
export function setting(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '';
  const plain = String(value);
  const exponential = value.toExponential();
  return Math.abs(value) < 0.01 && exponential.length <= plain.length ? exponential : plain;
}

/** `0.42 s`, `3 min 20 s`. It is rounded before it is split, so that there are never 60 seconds beside minutes. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–';
  const milliseconds = seconds * 1000;
  if (seconds > 0 && rounded(milliseconds, 1) < 10) return `${milliseconds.toFixed(1)} ms`;
  if (rounded(milliseconds, 0) < 100) return `${milliseconds.toFixed(0)} ms`;
  if (rounded(seconds, 2) < 1) return `${seconds.toFixed(2)} s`;
  if (rounded(seconds, 1) < 10) return `${seconds.toFixed(1)} s`;
  const all = Math.round(seconds);
  if (all < 100) return `${all} s`;
  if (all < 6000) return `${Math.floor(all / 60)} min ${all % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${count(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** How often a second, without more digits than matter: `0.42`, `7.3`, `128`. */
export function rate(value: number): string {
  if (Number(value.toPrecision(2)) < 1) return value.toPrecision(2);
  return rounded(value, 1) < 100 ? decimal.format(value) : whole.format(value);
}

/** `0.4 %`, `12 %` of a share from 0 to 1. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value.toFixed(rounded(value, 1) < 10 ? 1 : 0)} %`;
}

/** `1 run`, `2 runs`. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
