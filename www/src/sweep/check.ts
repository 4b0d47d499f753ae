import type { Problems } from '../config/check';
import { hasQuantity, lrOf, type SweepConfig } from './config';
import { readValues, unreadValue } from './grid';

/** More would take days, and a chart shows no more. */
export const MOST_SWEPT = 200;
const MOST_POINTS = 100;
const LARGEST_RANK = 64;

/** What is wrong with a sweep, by field. */
export function checkSweep(config: SweepConfig): Problems {
  const problems: Problems = new Map();
  const must = (field: string, holds: boolean, words: string) => {
    if (!holds && !problems.has(field)) problems.set(field, words);
  };
  const { quantity, validationEvery } = config;
  const { lowest, highest, points } = config.grids[quantity];
  const allowed = quantity === 'rank' ? `a whole number from 1 to ${LARGEST_RANK}` : 'a number above 0';
  const fits = (value: number) =>
    quantity === 'rank'
      ? Number.isInteger(value) && value >= 1 && value <= LARGEST_RANK
      : Number.isFinite(value) && value > 0;
  must('sweep.lowest', fits(lowest), `Lowest must be ${allowed}.`);
  must('sweep.highest', fits(highest), `Highest must be ${allowed}.`);
  must('sweep.highest', !(lowest >= highest), 'Highest must be above lowest.');
  const countable = Number.isInteger(points) && points >= 2 && points <= MOST_POINTS;
  must(
    'sweep.points',
    countable,
    `Points must be a whole number from 2 to ${MOST_POINTS}; a single value can be written into the list.`,
  );
  const values = readValues(config.values[quantity]);
  must('sweep.values', values.length > 0, 'Values must be at least one.');
  const unread = unreadValue(config.values[quantity]);
  must('sweep.values', unread === '', unread);
  must('sweep.values', values.every(fits), `Each value must be ${allowed}; separate them by commas.`);
  const methods = config.methods.filter((preset) => hasQuantity(preset, quantity));
  must(
    'sweep.methods',
    methods.length > 0,
    quantity === 'damping'
      ? 'Choose at least one method with a preconditioner: the others have no damping.'
      : 'Choose at least one method.',
  );
  const runs = methods.length * values.length;
  must(
    'sweep.values',
    runs <= MOST_SWEPT,
    `These are ${runs} runs; a sweep has at most ${MOST_SWEPT}. Take fewer values or methods.`,
  );
  if (quantity !== 'lr') {
    for (const preset of methods) {
      const lr = lrOf(config, preset);
      must(`sweep.lr.${preset}`, Number.isFinite(lr) && lr > 0, 'lr must be a number above 0.');
    }
  }
  const every = Number.isInteger(validationEvery) && validationEvery >= 0 && validationEvery <= 100_000;
  must('sweep.validation_every', every, 'Validate every must be a whole number; 0 is at the end only.');
  return problems;
}
