/** What a number may be. */
export interface Range {
  holds(value: number): boolean;
  /** As said behind "must be". */
  words: string;
}

/** Whole numbers from `from` to `to`. */
export function whole(from: number, to: number, words = `a whole number from ${from} to ${to}`): Range {
  return { holds: (value) => Number.isInteger(value) && value >= from && value <= to, words };
}

/** What random numbers are begun from. */
export const seeds = whole(0, 2 ** 32 - 1);

// The smallest number of which single precision, in which all is computed, has every digit, and its largest.
const SMALLEST = 2 ** -126;
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

const isSingle = (value: number) => Math.fround(value) >= SMALLEST && Math.fround(value) <= LARGEST;

/** Numbers above 0. */
export function above0(words = 'a number above 0 (from 1.2e-38 to 3.4e38)'): Range {
  return { holds: isSingle, words };
}

/** Numbers that are not negative. */
export function from0(words = 'a number, 0 or more (to 3.4e38)'): Range {
  return { holds: (value) => value === 0 || isSingle(value), words };
}

/** Numbers from `from` to `to`. */
export function between(from: number, to: number, words = `a number from ${from} to ${to}`): Range {
  return { holds: (value) => value >= from && value <= to, words };
}

/** What may be kept or left out of a whole, which is never all of it. */
export const share: Range = { holds: (value) => value >= 0 && value < 1, words: 'at least 0 and below 1' };
