import { beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { cutOf, cutWords, endsAtMost } from '../src/language/data/cut';
import type { DatasetStatistics } from '../src/protocol';
import { Signal } from '../src/signal';
import { FakeWorker } from './fake-worker';

const statistics = (some: Partial<DatasetStatistics>) =>
  ({
    train_examples: 0,
    validation_examples: 0,
    truncated: 0,
    dropped: 0,
    longest: 0,
    length_95: 0,
    skipped: { counts: [], first: [] },
    ...some,
  }) as DatasetStatistics;

describe('what is cut', () => {
  // GSM8K at the default length, as it was found.
  const gsm = statistics({
    train_examples: 606,
    validation_examples: 16,
    truncated: 622,
    dropped: 378,
    longest: 413,
    length_95: 260,
  });

  test('is said as shares of all examples, with a length at which nothing is', () => {
    const cut = cutOf(gsm, 64, 2048);
    expect(cut).toEqual({ sequenceLength: 64, cut: 0.622, leftOut: 0.378, length95: 260, proposed: 416 });
    expect(cut && cutWords(cut)).toBe('At 64 tokens, 62 % of the examples are cut and 38 % left out');
    const few = cutOf(statistics({ train_examples: 1000, truncated: 4, longest: 70 }), 64, 2048);
    expect(few && cutWords(few)).toBe('At 64 tokens, 0.4 % of the examples lose their end');
  });

  test('is nothing where all fits', () => {
    expect(cutOf(statistics({ train_examples: 9, longest: 64 }), 64, 2048)).toBeNull();
  });

  test('ends at the context of the model, and one long example does not make all long at once', () => {
    expect(cutOf(gsm, 64, 128)?.proposed).toBe(128);
    expect(cutOf(gsm, 128, 128)?.proposed).toBeNull();
    const outlier = statistics({ train_examples: 9, truncated: 1, longest: 9000 });
    expect(cutOf(outlier, 64, 32_768)?.proposed).toBe(512);
    expect(cutOf(outlier, 512, 32_768)?.proposed).toBe(1024);
  });

  test('rows beyond the most that are read are known of', () => {
    const read = statistics({ train_examples: 1980, validation_examples: 16, dropped: 4 });
    expect(endsAtMost(read, 2000)).toBe(true);
    expect(endsAtMost(read, 2001)).toBe(false);
    expect(endsAtMost(read, null)).toBe(false);
  });
});

describe('the sequence length', () => {
  beforeEach(() => {
    FakeWorker.all = [];
  });

  async function open(lengths: readonly number[], edit: (config: Config) => void = () => {}) {
    const lab = new Lab(
      () =>
        new FakeWorker((worker) => {
          worker.lengths = lengths;
        }),
      { cores: 2, memory: 0 },
    );
    const config = defaultConfig();
    edit(config);
    const app = new App(lab, new Signal<Config>(config));
    await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
    await lab.loadModel([new File(['x'], 'model.gguf')]);
    return app;
  }
  const source = { name: 'pairs.txt', blob: new Blob(['a||b']) };
  const half = [20, 30, 100, 150];

  test('follows chosen data of which much would be cut, says so, and goes back', async () => {
    const app = await open(half);
    await app.chooseData(source);
    expect(app.config.value.data.sequence_length).toBe(152);
    expect(app.lengthFollowed.value).toMatchObject({ before: 64, after: 152, cut: { cut: 0.5 } });
    expect(app.dataStale.value).toBe(false);
    expect(app.concern).toBe('');
    await app.takeLength(64);
    expect(app.lengthFollowed.value).toBeNull();
    expect(app.concern).toContain('At 64 tokens, 50 % of the examples lose their end');
  });

  test('is left alone where it was chosen, where little is cut, and by data of a kept training', async () => {
    const chosen = await open(half, ({ data }) => Object.assign(data, { sequence_length: 96 }));
    await chosen.chooseData(source);
    expect(chosen.config.value.data.sequence_length).toBe(96);
    expect(chosen.concern).toContain('50 %');
    const little = await open([...Array(99).fill(10), 100]);
    await little.chooseData(source);
    expect(little.config.value.data.sequence_length).toBe(64);
    const kept = await open(half);
    await kept.readData(source);
    expect(kept.config.value.data.sequence_length).toBe(64);
  });

  test('follows data that was chosen before the model, too', async () => {
    const app = await open(half);
    await app.chooseData({ ...source, name: 'first.txt' });
    await app.takeLength(64);
    const chosen = { ...source, name: 'second.txt' };
    const loading = app.lab.loadModel([new File(['y'], 'other.gguf')]);
    const choosing = app.chooseData(chosen);
    await Promise.all([loading, choosing]);
    while (app.lengthFollowed.value === null) await new Promise((resolve) => setTimeout(resolve));
    expect(app.config.value.data.sequence_length).toBe(152);
  });
});
