import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { matrixRate } from '../src/config/matrix-rate';
import { runSettings } from '../src/config/run-settings';
import { checkSettings, choicesOf, enter, type Setting, shownOf, valueAt } from '../src/config/setting';
import { sharedSettings } from '../src/config/shared-settings';
import { textSettings } from '../src/config/text-settings';
import { defaultPictureConfig } from '../src/images/config';
import { drawingSettings } from '../src/images/settings';
import { defaultSweep } from '../src/sweep/config';
import { gridSettings, lrSetting, validationSetting, variedSetting } from '../src/sweep/settings';
import { defaultTheory } from '../src/theory/config';
import { problemSettings, rateChoice, rateSettings } from '../src/theory/settings';

/** A table of settings, and what they are settings of. */
function table<Root extends object>(name: string, settings: readonly Setting<Root>[], make: () => Root) {
  return settings.map((setting) => ({
    name: `${name}: ${setting.field}`,
    kind: setting.kind,
    help: setting.help,
    there: () => valueAt(make(), setting.at) !== undefined,
    shown: () => shownOf(setting, make()),
    choices: setting.kind === 'choice' ? choicesOf(setting) : [],
    kept: () => valueAt(make(), setting.at),
    /** What is shown after it was entered. */
    entered: (shown: unknown) => {
      const root = make();
      enter(setting, root, shown);
      return shownOf(setting, root);
    },
    problems: (shown: unknown) => {
      const root = make();
      enter(setting, root, shown);
      const found = new Map<string, string>();
      checkSettings([setting], root, found, 'at.');
      return [...found];
    },
    field: setting.field,
    empty: setting.kind === 'number' ? setting.empty : undefined,
  }));
}

const run = () => ({
  text_lr: null,
  ...(defaultConfig().runs[1] ?? { style: 0, name: '', optimizer: null }),
});
const all = [
  ...table('shared', sharedSettings, defaultConfig),
  ...table('text', textSettings, defaultConfig),
  ...table('run', runSettings, run as never),
  ...table('pictures', drawingSettings, defaultPictureConfig),
  ...table('theory', [...problemSettings, rateChoice, ...rateSettings], defaultTheory),
  ...table('sweep', [variedSetting, validationSetting], defaultSweep),
  ...table('grid', gridSettings('rank'), () => defaultSweep().grids.rank),
];

describe('every setting', () => {
  test('is there once', () => {
    const names = all.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(50);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(all)(
    '$name stands in the defaults, which are right',
    ({ there, shown, kind, problems, help }) => {
      expect(there()).toBe(true);
      const kinds = {
        number: ['number', 'object'],
        choice: ['string'],
        switch: ['boolean'],
        text: ['string'],
      };
      expect(kinds[kind]).toContain(typeof shown());
      expect(problems(shown())).toEqual([]);
      expect(help).toMatch(/^.*\.$/);
    },
  );

  test.each(all.filter(({ kind }) => kind === 'choice'))(
    '$name is one of its choices',
    ({ choices, kept }) => {
      expect(choices).toContain(kept());
      expect(new Set(choices).size).toBe(choices.length);
    },
  );

  test.each(all.filter(({ kind }) => kind === 'number'))('$name refuses what is no number', (setting) => {
    const [problem, ...more] = setting.problems(Number.NaN);
    expect(more).toEqual([]);
    expect(problem?.[0]).toBe(`at.${setting.field}`);
    expect(problem?.[1]).toMatch(/^\S.* must be .+\.$/);
    expect(setting.problems(-1)).toHaveLength(1);
    // Empty is a value only where the field says what it means.
    expect(setting.problems(null)).toHaveLength(setting.empty === undefined ? 1 : 0);
  });

  // What stands for a letter or for a table is written in a form of its own.
  const written: Partial<Record<string, string>> = { separator: 'a\\nb', roles: 'a=user, b=tool' };

  test.each(all)('$name shows what was entered', ({ kind, field, entered, shown }) => {
    const text = written[field] ?? 'a\nb';
    const other = { number: 3, choice: shown(), switch: shown() !== true, text }[kind];
    expect(entered(other)).toBe(other);
  });
});

describe('settings of parts that are not there', () => {
  const plain = () => defaultConfig().runs[0] ?? expect.fail('there is a run');
  const damping = runSettings.find(({ field }) => field === 'damping') ?? expect.fail('there is damping');

  test('are neither wrong nor entered', () => {
    const adam = plain();
    expect(adam.optimizer.preconditioner).toBeNull();
    enter(damping, adam, -1);
    expect(adam).toEqual(plain());
    const problems = new Map<string, string>();
    checkSettings([damping], adam, problems);
    expect(problems.size).toBe(0);
    expect(damping.matters?.(adam)).toBe(false);
  });

  test('training one factor takes the ratio of both away', () => {
    const both = plain();
    both.optimizer.lr_ratio_b = 16;
    const trains = runSettings.find(({ field }) => field === 'trains') ?? expect.fail('there is trains');
    enter(trains, both, 'b');
    expect(both.optimizer).toMatchObject({ trains: 'b', lr_ratio_b: 1 });
  });

  test('a preset has its own lr until another is set', () => {
    const sweep = defaultSweep();
    const lr = lrSetting('adamw');
    const before = shownOf(lr, sweep);
    expect(before).toBeGreaterThan(0);
    enter(lr, sweep, 0.5);
    expect([shownOf(lr, sweep), sweep.lrs.adamw]).toEqual([0.5, 0.5]);
  });
});

test.each([
  [{ alpha: 32, rank: 4 }, 64e-3],
  [{ alpha: 16, rank: 8, use_rslora: false }, 4e-3],
  [{ alpha: 16, rank: 16, use_rslora: true }, 16e-3],
])('a rate of 1e-3 moves ΔW as s² times as much: %o', (session, rate) => {
  expect(matrixRate(1e-3, session)).toBeCloseTo(rate, 12);
});
