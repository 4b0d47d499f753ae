/** Numbers and amounts as the page writes them. */

const decimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `98.3 MB`. */
export function bytes(amount: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = amount;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit < 2 || value >= 100 ? whole.format(value) : decimal.format(value)} ${units[unit]}`;
}

/** `12,345`. */
export function count(amount: number): string {
  return whole.format(amount);
}

/** `134.5 M`. */
export function large(amount: number): string {
  if (amount >= 1e9) return `${decimal.format(amount / 1e9)} B`;
  if (amount >= 1e6) return `${decimal.format(amount / 1e6)} M`;
  if (amount >= 1e4) return `${decimal.format(amount / 1e3)} k`;
  return whole.format(amount);
}

/** A loss or a norm: four digits that matter. */
export function measure(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e4 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(4);
}

/** A hyper-parameter as one would type it: `1e-3`, `0.9`. */
export function setting(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '';
  const plain = String(value);
  const exponential = value.toExponential();
  return Math.abs(value) < 0.01 && exponential.length <= plain.length ? exponential : plain;
}

/** What a user typed as a number; NaN where it is none. Empty is no number either. */
export function parse(text: string): number {
  const trimmed = text.trim().replace(',', '.');
  return trimmed === '' ? Number.NaN : Number(trimmed);
}

/** `0.42 s`, `3 min 20 s`. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–';
  if (seconds > 0 && seconds < 0.00995) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 0.0995) return `${whole.format(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(seconds < 0.995 ? 2 : 1)} s`;
  if (seconds < 100) return `${whole.format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 100) return `${minutes} min ${whole.format(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How often a second, without more digits than matter: `0.42`, `7.3`, `128`. */
export function rate(value: number): string {
  if (value >= 100) return whole.format(value);
  return value >= 1 ? decimal.format(value) : value.toPrecision(2);
}

/** `1 run`, `2 runs`. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}
