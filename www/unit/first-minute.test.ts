import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../src/config/check';
import { defaultConfig } from '../src/config/defaults';
import { presetOf } from '../src/config/presets';
import { TINY } from '../src/language/model/tiny-model';
import { firstMinute } from '../src/language/welcome/first-minute';
import { terms } from '../src/page/glossary';

const www = join(import.meta.dirname, '..');
const folder = join(www, 'public', 'tiny');
const files = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

describe('the first minute', () => {
  test('is a valid configuration whose runs differ in their method alone', () => {
    const config = firstMinute(defaultConfig());
    expect([...checkConfig(config)]).toEqual([]);
    const [plain, scaled] = config.runs;
    expect(plain?.optimizer.preconditioner).toBeNull();
    expect({ ...scaled?.optimizer, preconditioner: null }).toEqual(plain?.optimizer);
    const presets = config.runs.map(({ optimizer }) => presetOf(optimizer, config.session.steps)?.id);
    expect(presets).toEqual(['adamw', 'scaled-adamw-safe']);
  });

  test('keeps how the user looks at things', () => {
    const mine = defaultConfig();
    mine.engine = 'cpu';
    mine.view.smoothing = 0.25;
    const config = firstMinute(mine);
    expect(config.engine).toBe('cpu');
    expect(config.view.smoothing).toBe(0.25);
  });
});

describe('the tiny model', () => {
  test('is as large as the page says, and below 6 MB', () => {
    const bytes = files.map((file) => statSync(join(folder, file)).size).reduce((sum, size) => sum + size);
    expect(Math.abs(bytes - TINY.bytes)).toBeLessThan(0.02 * TINY.bytes);
    expect(bytes).toBeLessThan(6e6);
  });

  test('is a Llama of one to three million weights', () => {
    const bytes = readFileSync(join(folder, 'model.safetensors'));
    const header = Number(bytes.readBigUInt64LE());
    const entries = Object.values<{ dtype: string; shape: number[] }>(
      JSON.parse(bytes.subarray(8, 8 + header).toString()),
    );
    const tensors = entries.filter(({ shape }) => shape !== undefined);
    const weights = tensors.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
    const total = weights.reduce((sum, size) => sum + size);
    expect(total).toBeGreaterThan(1e6);
    expect(total).toBeLessThan(3e6);
    expect(tensors.every(({ dtype }) => dtype === 'F16')).toBe(true);
  });
});

test('every term is explained once, in one sentence', () => {
  const names = terms.map(([term]) => term);
  expect(new Set(names).size).toBe(names.length);
  for (const [term, meaning] of terms) expect(meaning, term).toMatch(/^[A-Z−].*[^.]\.$/);
});
