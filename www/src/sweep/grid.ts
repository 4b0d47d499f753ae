import { setting } from '../words/numbers';
import { readNumber, type TypedNumber } from '../words/read-number';
/** What a list of values is made from. */
export interface Grid {
  lowest: number;
  highest: number;
  points: number;
  /** Equal ratios instead of equal steps. */
  log: boolean;
}

// Neighbours of a grid differ by more than this digit.
const DIGITS = 3;

/** Points of a grid at equal ratios or equal distances; none where the grid makes no sense. */
export function gridValues({ lowest, highest, points, log }: Grid, whole = false): number[] {
  const sensible = lowest > 0 && highest > lowest && Number.isFinite(highest);
  if (!sensible || !Number.isInteger(points) || points < 2 || points > 1000) return [];
  const values = Array.from({ length: points }, (_, index) => {
    const place = index / (points - 1);
    const value = log ? lowest * (highest / lowest) ** place : lowest + (highest - lowest) * place;
    if (index === 0 || index === points - 1) return index === 0 ? lowest : highest;
    return whole ? Math.round(value) : Number(value.toPrecision(DIGITS));
  });
  return distinct(values);
}

/** The numbers of a list as it was typed, rising and each once; what is no number is NaN and comes last. */
export function readValues(text: string): number[] {
  return distinct(typedValues(text).map(({ value }) => value ?? Number.NaN));
}

/** Why something in a list is no number; empty where all of it is. */
export function unreadValue(text: string): string {
  return typedValues(text).find(({ problem }) => problem !== '')?.problem ?? '';
}

function typedValues(text: string): TypedNumber[] {
  const words = text.split(/[\s;]+|,(?=\s|$)/).filter((word) => word !== '');
  return words.flatMap((word) => {
    // Commas stand between the numbers of a list, and between thousands and before decimals elsewhere.
    if (!/^(0+,\d+|[1-9]\d{0,2}(,\d{3})+)$/.test(word)) {
      const parts = word.split(',').filter((part) => part !== '');
      return parts.map(readNumber);
    }
    const problem = `“${word}” can be one number or several: put a space behind each comma of the list, and none into a number.`;
    return { value: Number.NaN, problem };
  });
}

/** A list as one would type it. */
export function writeValues(values: readonly number[]): string {
  return values.map(setting).join(', ');
}

function distinct(values: readonly number[]): number[] {
  const numbers = [...new Set(values.filter((value) => !Number.isNaN(value)))];
  const rest = values.some(Number.isNaN) ? [Number.NaN] : [];
  return [...numbers.sort((one, other) => one - other), ...rest];
}
