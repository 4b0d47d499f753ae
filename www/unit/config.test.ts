import { describe, expect, test } from 'vitest';
import { checkConfig } from '../src/config/check';
import { type Config, sessionSettings } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { methodNames, methodOf, methods } from '../src/config/methods';
import { presetCalled, presetOf, presetsOf, settingsOf, withSteps } from '../src/config/presets';
import { readConfig, writeConfig } from '../src/config/serialise';
import { warningAbout } from '../src/config/warning';
import { type OptimizerSettings, PRESETS, type PreconditionerSettings } from '../src/protocol';

const changed = (edit: (config: Config) => void) => {
  const config = defaultConfig();
  edit(config);
  return config;
};

describe('serialisation', () => {
  test('a configuration comes back as it was', () => {
    const config = changed((one) => {
      one.session.targets = ['gate_proj', 'q_proj'];
      one.data.columns = { prompt: ['a', 'b'], completion: 'c' };
      one.data.validation = 'none';
      one.data.maximum_examples = null;
      one.data.format = 'table';
      for (const run of one.runs) run.optimizer.max_grad_norm = 1;
      one.runs.push({ ...structuredClone(one.runs[0] as Config['runs'][0]), name: 'Third', style: 5 });
    });
    expect(readConfig(writeConfig(config))).toEqual({ config, notes: [] });
  });

  test.each(['', 'null', '[]', '{"version": 99}', '7', '{"version":1}'])('%s gives the defaults', (text) => {
    expect(readConfig(text).config).toEqual(defaultConfig());
  });

  test('what is more than a table holds is left out, and said', () => {
    const [run] = defaultConfig().runs;
    const stop = Array.from({ length: 20 }, (_, index) => `stop ${index}`);
    const { config, notes } = readConfig(
      JSON.stringify({ version: 1, runs: Array(300).fill(run), sample: { stop } }),
    );
    expect(config.runs).toHaveLength(64);
    expect(config.sample.stop).toHaveLength(16);
    expect(notes).toEqual([
      'Of 20 sample.stop the first 16 were taken.',
      'Of 300 runs the first 64 were taken.',
    ]);
  });

  test('nonsense is replaced field by field, and said', () => {
    const text = JSON.stringify({
      version: 1,
      session: { rank: 'x', alpha: 4, targets: ['q_proj', 'toString'] },
      runs: [{ name: 'kept', optimizer: { betas: [1], rule: 'magic', lr: 5 } }, null],
      engine: 'abacus',
      view: null,
      unknown: true,
    });
    const { config, notes } = readConfig(text);
    expect(config.session.alpha).toBe(4);
    expect(config.session.rank).toBe(defaultConfig().session.rank);
    expect(config.session.targets).toEqual(['q_proj', 'v_proj']);
    expect(config.runs).toHaveLength(2);
    expect(config.runs[0]).toMatchObject({
      name: 'kept',
      optimizer: { lr: 5, rule: 'adamw', betas: [0.9, 0.999] },
    });
    expect(config.engine).toBe('auto');
    expect(notes.join()).toContain('session.rank');
    expect(checkConfig(config).size).toBe(0);
    expect(config).not.toHaveProperty('unknown');
  });
});

describe('checks', () => {
  test('the defaults are right', () => {
    expect(checkConfig(defaultConfig()).size).toBe(0);
  });

  const wrong: [string, (config: Config) => void][] = [
    ['rank', (config) => Object.assign(config.session, { rank: 0 })],
    ['rank', (config) => Object.assign(config.session, { rank: 65 })],
    ['alpha', (config) => Object.assign(config.session, { alpha: Number.NaN })],
    ['targets', (config) => Object.assign(config.session, { targets: [] })],
    ['runs', (config) => Object.assign(config, { runs: [] })],
    ['runs.1.lr', (config) => Object.assign(config.runs[1]?.optimizer ?? {}, { lr: -1 })],
    ['runs.0.betas', (config) => Object.assign(config.runs[0]?.optimizer ?? {}, { betas: [-1, 0.9] })],
    ['runs.0.betas.1', (config) => Object.assign(config.runs[0]?.optimizer ?? {}, { betas: [0.9, 1] })],
    ['runs.0.momentum', (config) => Object.assign(config.runs[0]?.optimizer ?? {}, { momentum: 1 })],
    [
      'runs.1.damping',
      (config) =>
        Object.assign(config.runs[1]?.optimizer ?? {}, {
          preconditioner: { damping: 0, order: 'sequential' },
        }),
    ],
    ['sequence_length', (config) => Object.assign(config.data, { sequence_length: 1 })],
    ['top_p', (config) => Object.assign(config.sample, { top_p: 0 })],
  ];
  test.each(wrong)('%s is refused', (field, edit) => {
    expect([...checkConfig(changed(edit)).keys()]).toEqual([field]);
  });

  test('runs lose their look on the way to the engine', () => {
    expect(sessionSettings(defaultConfig()).runs[0]).not.toHaveProperty('style');
  });
});

const preset = (id: string) => {
  const found = presetCalled(id);
  if (found === undefined) throw new Error(`no preset ${id}`);
  return found;
};

describe('presets', () => {
  test.each(PRESETS.map(({ id }) => id))('%s is known again at any lr and number of steps', (id) => {
    const { method, ...one } = preset(id);
    expect(methodOf(one.optimizer)).toBe(method);
    expect(presetsOf(method).map((other) => other.id)).toContain(id);
    for (const steps of [1, 20, 60, 526, 26_290]) {
      const settings = settingsOf(preset(id), steps);
      expect(presetOf(settings, steps)).toBe(preset(id));
      expect(presetOf({ ...settings, lr: 0.123 }, steps)?.method).toBe(method);
      expect(warningAbout(settings)).toBe('');
      expect(presetOf({ ...settings, eps: 0.5 }, steps)).toBeUndefined();
      const config = changed(({ runs, session }) => {
        session.steps = steps;
        for (const run of runs) run.optimizer = structuredClone(settings);
      });
      expect(checkConfig(config).size).toBe(0);
      expect(readConfig(writeConfig(config))).toEqual({ config, notes: [] });
    }
  });

  test('every method has one, and a name', () => {
    expect(methods).toHaveLength(10);
    for (const method of methods) expect(presetsOf(method).length, methodNames[method]).toBeGreaterThan(0);
  });

  test('are the same in any order of keys', () => {
    const { optimizer } = preset('alt-lora');
    const turned = Object.fromEntries(Object.entries(optimizer).reverse()) as OptimizerSettings;
    expect(presetOf(turned, 60)?.id).toBe('alt-lora');
  });

  test('a warm-up keeps its share of the steps', () => {
    const warmups = [26_290, 526, 60, 10].map(
      (steps) => settingsOf(preset('scaled-adamw-paper'), steps).schedule.warmup_steps,
    );
    expect(warmups).toEqual([500, 10, 1, 0]);
    expect(settingsOf(preset('adamw'), 10)).toEqual(preset('adamw').optimizer);
    expect(settingsOf(preset('adamw-paper'), Number.NaN).schedule.warmup_steps).toBe(500);
  });

  test('a warm-up follows the steps while it is the preset’s, at the user’s lr', () => {
    const settings = { ...settingsOf(preset('sgd-paper'), 60), lr: 7 };
    const longer = withSteps(settings, 60, 2629);
    expect(longer).toMatchObject({ lr: 7, schedule: { warmup_steps: 50 } });
    expect(presetOf(longer, 2629)?.id).toBe('sgd-paper');
    const own = { ...settings, schedule: { ...settings.schedule, warmup_steps: 9 } };
    expect(withSteps(own, 60, 2629)).toEqual(own);
  });

  test('are not changed by what is done to their settings', () => {
    settingsOf(preset('adamw-paper'), 60).schedule.warmup_steps = 99;
    expect(preset('adamw-paper').optimizer.schedule.warmup_steps).toBe(500);
  });
});

describe('the method', () => {
  const { optimizer } = preset('adamw');
  const metric: PreconditionerSettings = {
    damping: 1e-2,
    damping_kind: 'absolute',
    order: 'simultaneous',
    scale_aware: false,
    place: 'gradient',
    tangent: false,
    realigns_momentum: false,
  };
  const cases: [string, Partial<OptimizerSettings>][] = [
    ['muon', { rule: 'muon', trains: 'b' }],
    ['lora_muon', { rule: 'muon', trains: 'b', preconditioner: metric }],
    ['lora_fa', { rule: 'sgd', trains: 'b', preconditioner: metric }],
    ['alt_lora', { rule: 'sgd', trains: 'alternating', preconditioner: metric }],
    ['alt_lora_plus', { trains: 'alternating', preconditioner: metric }],
    ['adamw', { trains: 'alternating' }],
    ['scaled_adamw', { preconditioner: metric, lr_ratio_b: 4 }],
    ['scaled_gd', { preconditioner: metric, rule: 'sgd' }],
    ['lora_plus', { lr_ratio_b: 4 }],
    ['sgd', { rule: 'sgd', lr_ratio_b: 4 }],
  ];
  test.each(cases)('is %s', (method, change) => expect(methodOf({ ...optimizer, ...change })).toBe(method));

  test('is one of the ten for any settings', () => {
    for (const rule of ['adamw', 'sgd', 'muon'] as const)
      for (const trains of ['both', 'b', 'alternating'] as const)
        for (const preconditioner of [null, metric])
          for (const lr_ratio_b of [1, 16, 0, Number.NaN])
            expect(methods).toContain(methodOf({ ...optimizer, rule, trains, preconditioner, lr_ratio_b }));
  });
});

describe('warnings', () => {
  const { optimizer } = preset('scaled-adamw-safe');
  const warned = (metric: Partial<PreconditionerSettings>, more: Partial<OptimizerSettings> = {}) => {
    if (optimizer.preconditioner === null) throw new Error('a scaled preset has a preconditioner');
    return warningAbout({
      ...optimizer,
      preconditioner: { ...optimizer.preconditioner, ...metric },
      ...more,
    });
  };

  test('long memory with small damping is warned of', () => {
    expect(warned({ damping: 1e-6 })).toContain('damping 0.000001');
    expect(warned({ damping: 1e-6 }, { betas: [0.7, 0.8] })).toBe('');
    expect(warned({ damping: 1e-6 }, { rule: 'sgd' })).toBe('');
    expect(warned({ damping: 1e-6 }, { trains: 'b' })).toBe('');
  });

  test('so is damping that is relative to what starts at 0', () => {
    expect(warned({ damping_kind: 'relative' })).toContain('relative');
  });
});

describe('settings of the version before', () => {
  const old = () => {
    const config = JSON.parse(writeConfig(defaultConfig()));
    delete config.session.diagnostics;
    delete config.view.quantity;
    delete config.view.quantityLog;
    for (const { optimizer } of config.runs) {
      delete optimizer.trains;
      delete optimizer.momentum;
      if (optimizer.preconditioner !== null) {
        delete optimizer.preconditioner.damping_kind;
        delete optimizer.preconditioner.scale_aware;
      }
    }
    return config;
  };

  test('are read with defaults for what is new', () => {
    expect(readConfig(JSON.stringify(old()))).toEqual({ config: defaultConfig(), notes: [] });
  });

  const nonsense: [string, (kept: ReturnType<typeof old>) => void][] = [
    ['runs.1.optimizer.trains', ({ runs }) => Object.assign(runs[1].optimizer, { trains: 'c' })],
    ['runs.0.optimizer.rule', ({ runs }) => Object.assign(runs[0].optimizer, { rule: 'magic' })],
    ['runs.0.optimizer.momentum', ({ runs }) => Object.assign(runs[0].optimizer, { momentum: '0.9' })],
    ['runs.0.optimizer.max_grad_norm', ({ runs }) => Object.assign(runs[0].optimizer, { max_grad_norm: {} })],
    [
      'runs.1.optimizer.preconditioner.damping_kind',
      ({ runs }) => Object.assign(runs[1].optimizer.preconditioner, { damping_kind: 7 }),
    ],
    [
      'runs.1.optimizer.preconditioner.scale_aware',
      ({ runs }) => Object.assign(runs[1].optimizer.preconditioner, { scale_aware: 'yes' }),
    ],
    ['session.diagnostics', ({ session }) => Object.assign(session, { diagnostics: 1 })],
    ['view.quantity', ({ view }) => Object.assign(view, { quantity: 'toString' })],
    ['view.quantityLog.lr', ({ view }) => Object.assign(view, { quantityLog: { lr: 1 } })],
  ];
  test.each(nonsense)('%s is refused by name where it is nonsense', (field, spoil) => {
    const kept = old();
    spoil(kept);
    const { config, notes } = readConfig(JSON.stringify(kept));
    expect(notes).toEqual([`${field} was not usable and has its default.`]);
    expect(config).toEqual(defaultConfig());
  });
});
