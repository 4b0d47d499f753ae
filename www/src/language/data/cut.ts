import type { DatasetStatistics } from '../../protocol';
import { count, percent } from '../../words/numbers';

/** Examples that do not fit into the sequence length, and a length that would do. */
export interface Cut {
  sequenceLength: number;
  /** Shares of all examples: those that lose their end, and those of which nothing is left. */
  cut: number;
  leftOut: number;
  /** Tokens into which 95 % of the examples fit. */
  length95: number;
  /** A longer length; null where the model's context ends already. */
  proposed: number | null;
}

// Lengths that are proposed are multiples of it.
const MULTIPLE = 8;
// One example may be many times as long as most: further than this, the length is doubled at a time.
const AT_ONCE = 512;

/** What is cut of data that was read at `sequenceLength`; null where all examples are whole. */
export function cutOf(
  { train_examples, validation_examples, truncated, dropped, longest, length_95 }: DatasetStatistics,
  sequenceLength: number,
  contextLength: number,
): Cut | null {
  const examples = train_examples + validation_examples + dropped;
  if (truncated + dropped === 0 || examples === 0) return null;
  const whole = Math.ceil(longest / MULTIPLE) * MULTIPLE;
  const proposed = Math.min(whole, contextLength, Math.max(AT_ONCE, 2 * sequenceLength));
  return {
    sequenceLength,
    cut: truncated / examples,
    leftOut: dropped / examples,
    length95: length_95,
    proposed: proposed > sequenceLength ? proposed : null,
  };
}

/** `At 64 tokens, 62 % of the examples are cut and 38 % left out`. */
export function cutWords({ sequenceLength, cut, leftOut }: Cut): string {
  const parts = [
    cut > 0 ? `${percent(cut)} of the examples ${leftOut > 0 ? 'are cut' : 'lose their end'}` : '',
    leftOut > 0 ? `${percent(leftOut)}${cut > 0 ? '' : ' of the examples'} left out` : '',
  ];
  return `At ${count(sequenceLength)} tokens, ${parts.filter(Boolean).join(' and ')}`;
}

/** Whether reading ended where `most` says, and not where the file does. */
export function endsAtMost(
  { train_examples, validation_examples, dropped, skipped }: DatasetStatistics,
  most: number | null,
): boolean {
  // Rows that the reader could not use are not counted by it, those that only the tokenizer found are.
  const later = skipped.counts.filter(({ reason }) => ['template', 'tokenizer'].includes(reason));
  const rows = later.reduce((sum, { rows }) => sum + rows, train_examples + validation_examples + dropped);
  return most !== null && rows >= most;
}
