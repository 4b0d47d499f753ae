import { describe, expect, test } from 'vitest';
import { colourOf, dashOf, freeStyle, STYLES, styleOf } from '../src/charts/run-style';
import type { RunConfig } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { presetCalled, settingsOf } from '../src/config/presets';
import { readConfig, writeConfig } from '../src/config/serialise';
import { bestOf } from '../src/experiment/comparison/best';
import { areRatesCompared, methodsOf } from '../src/experiment/comparison/methods';
import { ratesState } from '../src/experiment/comparison/rates-chart';
import { rateShown, shownRuns } from '../src/experiment/comparison/shown-runs';
import { verdictsOf } from '../src/experiment/comparison/verdict';
import { ExperimentMetrics } from '../src/metrics/experiment-metrics';

const STEPS = 60;

function run(id: string, lr: number, style = 0): RunConfig {
  const preset = presetCalled(id);
  if (preset === undefined) throw new Error(id);
  return { name: `${id} ${lr}`, style, optimizer: { ...settingsOf(preset, STEPS), lr } };
}

const pairs = [
  run('sgd', 0.1),
  run('sgd', 1),
  run('scaled-gd', 1),
  run('scaled-gd', 0.1),
  run('adamw', 0.01),
  run('adamw', 0.03),
  run('scaled-adamw-safe', 0.01),
  run('scaled-adamw-safe', 0.03),
];

/** Validation losses after the last step; null is a run that diverged. */
function measured(runs: readonly RunConfig[], losses: readonly (number | null)[], base = 5) {
  const metrics = new ExperimentMetrics(runs.length, STEPS);
  for (const [index, loss] of losses.entries()) {
    const series = metrics.runs[index];
    if (series === undefined) throw new Error('more losses than runs');
    series.recordValidation(0, base);
    if (loss === null) series.divergedAt = 7;
    else series.recordValidation(STEPS, loss);
  }
  return metrics;
}

describe('methods of a training', () => {
  test('are runs that differ in nothing but the learning rate, at rising rates', () => {
    const methods = methodsOf(pairs, STEPS);
    expect(methods.map(({ runs }) => runs.map(({ index }) => index))).toEqual([
      [0, 1],
      [3, 2],
      [4, 5],
      [6, 7],
    ]);
    expect(methods[0]?.name).toMatch(/^SGD/);
    expect(areRatesCompared(methods)).toBe(true);
  });

  test('are runs of their own, with their own names, where each has one rate', () => {
    const { runs } = defaultConfig();
    const methods = methodsOf(runs, STEPS);
    expect(methods.map(({ name }) => name)).toEqual(runs.map(({ name }) => name));
    expect(areRatesCompared(methods)).toBe(false);
  });

  test('that differ in a detail have names that differ', () => {
    const other = pairs.slice(0, 2).map((one) => ({
      ...one,
      optimizer: { ...one.optimizer, weight_decay: 0.5 },
    }));
    const again = other.map((one) => ({ ...one, optimizer: { ...one.optimizer, weight_decay: 0.25 } }));
    const names = methodsOf([...other, ...again], STEPS).map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
  });
});

describe('runs with curves', () => {
  const losses = [3, 4, 2.5, 2.6, 2.3, null, 2.31, 2.9];
  const shown = (compared: 'all' | 'rate' | 'best', comparedLr: number | null = null, all = losses) =>
    shownRuns(pairs, measured(pairs, all), { compared, comparedLr }).map(({ index }) => index);

  test('are all, those at one rate, or the best of each method', () => {
    expect(shown('all')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(shown('rate', 1)).toEqual([1, 2]);
    expect(shown('best')).toEqual([0, 2, 4, 6]);
  });

  test('at a rate that no run has are those at a rate that most methods have', () => {
    expect(rateShown(methodsOf(pairs, STEPS), 7)).toBe(0.01);
    expect(shown('rate', 7)).toEqual([4, 6]);
  });

  test('are all of a method whose runs all diverged', () => {
    expect(shown('best', null, [null, null, 2.5, 2.6, 2.3, null, 2.31, 2.9])).toEqual([0, 1, 2, 4, 6]);
  });

  test('are all where each method has one rate, whatever was chosen before', () => {
    const { runs } = defaultConfig();
    const metrics = measured(runs, [2, 3]);
    expect(shownRuns(runs, metrics, { compared: 'best', comparedLr: null })).toHaveLength(2);
  });

  test('the choice is kept, and nonsense is not', () => {
    const config = defaultConfig();
    Object.assign(config.view, { compared: 'rate', comparedLr: 0.03 });
    expect(readConfig(writeConfig(config)).config.view).toEqual(config.view);
    const odd = JSON.stringify({ version: 1, view: { compared: 'worst', comparedLr: 'x' } });
    expect(readConfig(odd).config.view).toMatchObject({ compared: 'all', comparedLr: null });
  });
});

describe('the verdict', () => {
  const words = (losses: readonly (number | null)[]) =>
    verdictsOf(methodsOf(pairs, STEPS), measured(pairs, losses));

  test('says by how much, at which rates, and how many rates serve', () => {
    const [gd, adamw] = words([3, 4, 2.5, 2.6, 2.3, null, 2.31, 2.9]);
    expect(gd).toContain('ends 17 % lower than SGD');
    expect(gd).toContain('2.500 at lr 1 against 3.000 at lr 0.1');
    expect(gd).toContain('at 2 of 2 rates, SGD at 1 of 2 rates');
    expect(adamw).toContain('are level, each at its best: 2.310 at lr 0.01 against 2.300 at lr 0.01');
  });

  test('says as plainly that the preconditioner loses', () => {
    expect(words([3, 4, 3.3, 5, 2.3, 2.4, 2.5, 2.9])[1]).toContain('ends 8.7 % higher than AdamW');
  });

  test('speaks of one rate where there is one', () => {
    const runs = [run('adamw', 0.01), run('scaled-adamw-safe', 0.01)];
    const [said] = verdictsOf(methodsOf(runs, STEPS), measured(runs, [2.5, 2]));
    expect(said).toMatch(/ ends 20 % lower than .*: 2\.000 at lr 0\.01 against 2\.500 at lr 0\.01\.$/);
    expect(said).not.toContain('best');
  });

  test('says which diverged everywhere, and nothing before anything is measured', () => {
    const [gd] = words([null, null, 2.5, 2.6]);
    expect(gd).toContain('SGD diverged at every rate');
    expect(gd).toContain('SGD at 0 of 2 rates');
    const nothing = new ExperimentMetrics(pairs.length, STEPS);
    expect(verdictsOf(methodsOf(pairs, STEPS), nothing)).toEqual([]);
  });
});

test('a diverged run is a cross in the chart over rates, and no point before anything is measured', () => {
  const methods = methodsOf(pairs, STEPS);
  const state = ratesState(methods, measured(pairs, [3, null]));
  expect(state.baseLoss).toBe(5);
  expect(state.lines[0]).toMatchObject({
    points: [
      { value: 0.1, loss: 3 },
      { value: 1, loss: null },
    ],
    best: 0.1,
  });
  expect(state.lines[2]).toMatchObject({ points: [], best: null });
  const third = methods[2];
  expect(third && bestOf(third, measured(pairs, []))).toBeNull();
});

test('64 runs of 8 methods look different, and a new run like none that is there', () => {
  const styles = Array.from({ length: 64 }, (_, index) =>
    styleOf(index % STYLES, Math.floor(index / STYLES)),
  );
  const looks = new Set(styles.map((style) => `${colourOf(style)} ${dashOf(style)}`));
  expect(looks.size).toBe(64);
  const free = freeStyle(styles.slice(0, 9));
  expect(styles.slice(0, 9).map((style) => `${colourOf(style)} ${dashOf(style)}`)).not.toContain(
    `${colourOf(free)} ${dashOf(free)}`,
  );
});
