import { presetName } from '../config/preset-name';
import { above0, type Range, whole } from '../config/range';
import type { ChoiceSetting, NumberSetting, Setting } from '../config/setting';
import { lrOf, type SweepConfig, type SweepQuantity } from './config';
import type { Grid } from './grid';

const LARGEST_RANK = 64;
const MOST_POINTS = 100;

/** What differs between the runs of a method. */
export const variedSetting: ChoiceSetting<SweepConfig> = {
  kind: 'choice',
  field: 'sweep.quantity',
  label: 'Varied',
  help: 'What differs between the runs of a method. Where rank is varied, alpha stays as it is set.',
  at: 'quantity',
  choices: [
    ['lr', 'learning rate'],
    ['rank', 'rank'],
    ['damping', 'damping δ'],
  ],
};

/** What may be trained at. */
export function rangeOf(quantity: SweepQuantity): Range {
  return quantity === 'rank' ? whole(1, LARGEST_RANK) : above0();
}

/** What a list of values is made from, in the order of the page. */
export function gridSettings(quantity: SweepQuantity): readonly Setting<Grid>[] {
  const range = rangeOf(quantity);
  return [
    {
      kind: 'number',
      field: 'sweep.lowest',
      label: 'Lowest',
      help: 'First value of the list.',
      at: 'lowest',
      range,
    },
    {
      kind: 'number',
      field: 'sweep.highest',
      label: 'Highest',
      help: 'Last value of the list.',
      at: 'highest',
      range,
    },
    {
      kind: 'number',
      field: 'sweep.points',
      label: 'Points',
      help: 'How many values the list has, the first and the last among them.',
      at: 'points',
      range: whole(
        2,
        MOST_POINTS,
        `a whole number from 2 to ${MOST_POINTS}; a single value can be written into the list`,
      ),
    },
    {
      kind: 'switch',
      field: 'sweep.log',
      label: 'Logarithmic',
      help: 'Neighbours have equal ratios instead of equal distances.',
      at: 'log',
    },
  ];
}

/** When validation losses are measured. */
export const validationSetting: NumberSetting<SweepConfig> = {
  kind: 'number',
  field: 'sweep.validation_every',
  label: 'Validate every',
  unit: 'steps',
  help: 'Steps between two measurements of the validation loss; 0 measures before the first and after the last step only.',
  at: 'validationEvery',
  range: whole(0, 100_000, 'a whole number; 0 is at the end only'),
};

const MOST_SEEDS = 16;

/** How often each run is trained. */
export const seedsSetting: NumberSetting<SweepConfig> = {
  kind: 'number',
  field: 'sweep.seeds',
  label: 'Seeds',
  help: 'How many times each run is trained: with the seed of the Language tab, and those that follow it. Adapters, batches and dropout differ between them, and a difference of methods that is smaller than that of their seeds is none.',
  at: 'seeds',
  range: whole(1, MOST_SEEDS),
};

/** The values themselves, a list for each quantity. */
export const valuesSetting = {
  field: 'sweep.values',
  label: 'Values',
  help: 'What is trained, separated by commas. Change it as you like, also after a sweep: only what has no result yet is trained.',
  rows: 2,
} as const;

/** The learning rate of a preset, where that is not varied. */
export function lrSetting(preset: string): NumberSetting<SweepConfig> {
  return {
    kind: 'number',
    field: `sweep.lr.${preset}`,
    label: `lr of ${presetName(preset)}`,
    help: 'Learning rate of all runs of this method, because the sweep varies something else.',
    name: 'lr',
    at: `lrs.${preset}`,
    form: { shown: (lr) => (lr === undefined ? lrOf({ lrs: {} }, preset) : Number(lr)), kept: (lr) => lr },
    range: above0(),
  };
}
