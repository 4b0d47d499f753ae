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

/** Numbers above 0. */
export function above0(words = 'a number above 0'): Range {
  return { holds: (value) => Number.isFinite(value) && value > 0, words };
}

/** Numbers that are not negative. */
export function from0(words = 'a number, 0 or more'): Range {
  return { holds: (value) => Number.isFinite(value) && value >= 0, words };
}

/** Numbers from `from` to `to`. */
export function between(from: number, to: number, words = `a number from ${from} to ${to}`): Range {
  return { holds: (value) => value >= from && value <= to, words };
}

/** What may be kept or left out of a whole, which is never all of it. */
export const share: Range = { holds: (value) => value >= 0 && value < 1, words: 'at least 0 and below 1' };
