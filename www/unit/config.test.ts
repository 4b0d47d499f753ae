import { describe, expect, test } from 'vitest';
import { checkConfig } from '../src/config/check';
import { type Config, sessionSettings } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { methodOf, presetOf, presets, presetsOf, warningAbout } from '../src/config/presets';
import { readConfig, writeConfig } from '../src/config/serialise';

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
    ['runs.0.betas', (config) => Object.assign(config.runs[0]?.optimizer ?? {}, { betas: [0.9, 1] })],
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

describe('presets', () => {
  test('each is known again, whatever its lr', () => {
    for (const preset of presets) {
      expect(methodOf(preset.optimizer)).toBe(preset.method);
      expect(presetOf(preset.optimizer)).toBe(preset);
      expect(presetOf({ ...preset.optimizer, lr: 0.123 })?.method).toBe(preset.method);
      expect(presetsOf(preset.method)).toContain(preset);
      expect(warningAbout(preset.optimizer)).toBe('');
    }
    const { optimizer } = presets[0] as (typeof presets)[0];
    expect(presetOf({ ...optimizer, eps: 0.5 })).toBeUndefined();
  });

  test('long memory with small damping is warned of', () => {
    const { optimizer } = presetsOf('scaled_adamw')[0] as (typeof presets)[0];
    const small = { damping: 1e-6, order: 'simultaneous' } as const;
    expect(warningAbout({ ...optimizer, preconditioner: small })).toContain('damping');
    expect(warningAbout({ ...optimizer, preconditioner: small, betas: [0.7, 0.8] })).toBe('');
    expect(warningAbout({ ...optimizer, preconditioner: small, rule: 'sgd' })).toBe('');
  });
});
