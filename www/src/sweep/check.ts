import type { Problems } from '../config/problems';
import { checkSettings } from '../config/setting';
import { hasQuantity, type SweepConfig } from './config';
import { readValues, unreadValue } from './grid';
import { gridSettings, lrSetting, rangeOf, seedsSetting, validationSetting } from './settings';

/** More would take days, and a chart shows no more. */
export const MOST_SWEPT = 200;

/** What is wrong with a sweep, by field. */
export function checkSweep(config: SweepConfig): Problems {
  const problems: Problems = new Map();
  const must = (field: string, holds: boolean, words: string) => {
    if (!holds && !problems.has(field)) problems.set(field, words);
  };
  const { quantity } = config;
  const grid = config.grids[quantity];
  const range = rangeOf(quantity);
  checkSettings(gridSettings(quantity), grid, problems);
  must('sweep.highest', !(grid.lowest >= grid.highest), 'Highest must be above lowest.');
  const values = readValues(config.values[quantity]);
  must('sweep.values', values.length > 0, 'Values must be at least one.');
  const unread = unreadValue(config.values[quantity]);
  must('sweep.values', unread === '', unread);
  must(
    'sweep.values',
    values.every(range.holds),
    `Each value must be ${range.words}; separate them by commas.`,
  );
  const methods = config.methods.filter((preset) => hasQuantity(preset, quantity));
  must(
    'sweep.methods',
    methods.length > 0,
    quantity === 'damping'
      ? 'Choose at least one method with a preconditioner: the others have no damping.'
      : 'Choose at least one method.',
  );
  const runs = methods.length * values.length * config.seeds;
  must(
    'sweep.values',
    runs <= MOST_SWEPT,
    `These are ${runs} runs; a sweep has at most ${MOST_SWEPT}. Take fewer values, methods or seeds.`,
  );
  if (quantity !== 'lr') checkSettings(methods.map(lrSetting), config, problems);
  checkSettings([validationSetting, seedsSetting], config, problems);
  return problems;
}
