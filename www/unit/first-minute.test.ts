import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkConfig } from '../src/config/check';
import { defaultConfig } from '../src/config/defaults';
import { presetOf } from '../src/config/presets';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { TINY } from '../src/language/model/tiny-model';
import { firstMinute, type Replaced, trainNow } from '../src/language/welcome/first-minute';
import { terms } from '../src/page/glossary';
import { success } from '../src/result';
import { Signal } from '../src/signal';
import { FakeWorker } from './fake-worker';

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

describe('Train now', () => {
  const bundled = ['tiny/config.json', 'tiny/model.safetensors', 'tiny/tokenizer.json'];
  bundled.push('tiny/tokenizer_config.json', 'data/wordnet-definitions.txt');

  async function open() {
    FakeWorker.all = [];
    const lab = new Lab(() => new FakeWorker(), { cores: 2, memory: 0 });
    const settings = defaultConfig();
    const app = new App(lab, new Signal(settings));
    await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
    const told: Replaced[] = [];
    const train = async () => {
      const answer = await trainNow(app, (replaced) => told.push(replaced));
      expect(answer).toEqual(success(null));
    };
    return { app, lab, told, train };
  }

  beforeEach(() => {
    vi.stubGlobal('fetch', async (address: string) =>
      bundled.includes(address) ? new Response('x') : new Response(null, { status: 404 }),
    );
  });
  afterEach(() => vi.unstubAllGlobals());

  test('replaces nothing of a newcomer’s, and nothing when it is pressed again', async () => {
    const { train, told } = await open();
    await train();
    await train();
    expect(told).toEqual([]);
  });

  test('gives back the settings, model and data that it put its own in place of', async () => {
    const { app, lab, train, told } = await open();
    const files = [new File(['x'], 'mine.gguf')];
    const source = { name: 'mine.txt', blob: new Blob(['a||b']) };
    await lab.loadModel(files);
    await app.readData(source);
    app.change(({ session, sample, data }) => {
      session.rank = 3;
      sample.prompt = 'mine';
      data.sequence_length = 99;
    });
    const before = app.config.value;
    await train();
    expect(told.map(({ words }) => words)).toEqual(['settings, model and data']);
    expect(app.config.value.session.rank).not.toBe(3);
    app.change(({ view }) => Object.assign(view, { smoothing: 0.125 }));
    await told[0]?.bringBack();
    expect(app.config.value).toEqual({ ...before, view: { ...before.view, smoothing: 0.125 } });
    expect(lab.modelFiles).toEqual(files);
    expect(app.dataSource.value).toBe(source);
    expect(lab.data.value.status).toBe('ready');
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
