import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { colourOf, dashOf } from '../src/charts/run-style';
import { checkConfig } from '../src/config/check';
import { defaultConfig } from '../src/config/defaults';
import { methodsOf } from '../src/experiment/comparison/methods';
import { pairsOf } from '../src/experiment/comparison/verdict';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { TINY } from '../src/language/model/tiny-model';
import { firstMinute, type Replaced, trainNow } from '../src/language/welcome/first-minute';
import { stepOf } from '../src/language/welcome/why';
import { terms } from '../src/page/glossary';
import { success } from '../src/result';
import { Signal } from '../src/signal';
import { FakeWorker } from './fake-worker';

const www = join(import.meta.dirname, '..');
const folder = join(www, 'public', 'tiny');
const files = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

describe('the first minute', () => {
  const config = firstMinute(defaultConfig());
  const methods = methodsOf(config.runs, config.session.steps);

  test('is a valid configuration of four methods that differ in the preconditioner alone', () => {
    expect([...checkConfig(config)]).toEqual([]);
    expect(methods.map(({ name }) => name)).toEqual(['SGD', 'Scaled GD', 'AdamW', 'Scaled AdamW']);
    const pairs = pairsOf(methods);
    expect(pairs).toHaveLength(2);
    for (const { plain, preconditioned } of pairs) {
      expect({ ...preconditioned.optimizer, preconditioner: null, lr: 0 }).toEqual({
        ...plain.optimizer,
        lr: 0,
      });
      expect(preconditioned.runs.map(({ lr }) => lr)).toEqual(plain.runs.map(({ lr }) => lr));
      expect(plain.runs.length).toBeGreaterThanOrEqual(3);
    }
  });

  test('no two of its curves look alike, and a method has one colour', () => {
    const looks = config.runs.map(({ style }) => `${colourOf(style)} ${dashOf(style)}`);
    expect(new Set(looks).size).toBe(config.runs.length);
    for (const { runs } of methods) {
      const colours = runs.map(({ index }) => colourOf(config.runs[index]?.style ?? -1));
      expect(new Set(colours).size).toBe(1);
    }
  });

  test('brackets where each method was best in the study, and shows its edges', () => {
    const study = join(www, '..', 'benchmarks', 'results', 'study-first-minute.json');
    const { runs: swept } = JSON.parse(readFileSync(study, 'utf8')) as {
      runs: { method: string; lr: number; validation_loss: number | null }[];
    };
    for (const { name, runs } of methods) {
      const own = swept.filter(({ method }) => method.toLowerCase() === name.toLowerCase());
      const mean = (lr: number) => {
        const losses = own.filter((run) => run.lr === lr).map((run) => run.validation_loss ?? 20);
        return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
      };
      const rates = [...new Set(own.map(({ lr }) => lr))];
      const best = rates.reduce((one, other) => (mean(other) < mean(one) ? other : one));
      const lowest = Math.min(...runs.map(({ lr }) => lr));
      const highest = Math.max(...runs.map(({ lr }) => lr));
      expect(best, name).toBeGreaterThan(lowest);
      expect(best, name).toBeLessThan(1.06 * highest);
    }
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

describe('the picture of why', () => {
  test.each([
    { b: 1, a: 1 },
    { b: 0.1, a: 10 },
  ])('shows the step that two factors make: %o', ({ b, a }) => {
    // The loss is the product itself, so that its slope g is 1; the rate is small enough for the first order.
    const [lr, g] = [1e-7, 1];
    const plain = (b - lr * g * a) * (a - lr * g * b);
    const scaled = (b - (lr * g * a) / (a * a)) * (a - (lr * g * b) / (b * b));
    expect((b * a - plain) / lr).toBeCloseTo(stepOf({ b, a }, false), 3);
    expect((b * a - scaled) / lr).toBeCloseTo(stepOf({ b, a }, true), 3);
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
