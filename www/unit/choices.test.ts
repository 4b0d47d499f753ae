import { describe, expect, test } from 'vitest';
import { logTicks } from '../src/charts/log-ticks';
import { freeStyle } from '../src/charts/run-style';
import { modelFiles } from '../src/controls/dropped';
import { chooseEngine } from '../src/engine/engine-choice';
import { globalField, spreadRuns } from '../src/lab/spread';
import { bytes, duration, measure, parse, setting } from '../src/words/numbers';

const real = { vendor: 'nvidia', architecture: 'ada', description: '', fallback: false };

describe('the engine', () => {
  test('is WebGPU only on a real adapter', () => {
    expect(chooseEngine('auto', real).engine).toBe('webgpu');
    expect(chooseEngine('auto', undefined).engine).toBe('cpu');
    expect(chooseEngine('auto', null).engine).toBe('cpu');
    expect(chooseEngine('auto', { ...real, fallback: true }).engine).toBe('cpu');
    expect(chooseEngine('auto', { ...real, vendor: 'google', architecture: 'swiftshader' }).engine).toBe(
      'cpu',
    );
  });

  test('is the user’s where it can be', () => {
    expect(chooseEngine('cpu', real)).toMatchObject({ engine: 'cpu', reason: 'You chose the CPU.' });
    expect(chooseEngine('webgpu', { ...real, fallback: true }).engine).toBe('webgpu');
    expect(chooseEngine('webgpu', null).engine).toBe('cpu');
  });
});

describe('runs are spread', () => {
  const spread = (runs: number, cores: number, memory = 0, perWorker = 1) =>
    spreadRuns({ runs, cores, memory, perWorker, batchSize: 4 }).groups;
  const shards = (runs: number, cores: number, memory = 0, batchSize = 4) =>
    spreadRuns({ runs, cores, memory, perWorker: 10, batchSize }).shards;

  test('one a core, evenly', () => {
    expect(spread(2, 8)).toEqual([[0], [1]]);
    expect(spread(5, 2)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    expect(spread(1, 1)).toEqual([[0]]);
  });

  test('over fewer workers where memory is short, but over one at least', () => {
    expect(spread(4, 4, 25, 10)).toHaveLength(2);
    expect(spread(4, 4, 5, 10)).toHaveLength(1);
  });

  test('cores that are left share the steps, as far as memory and the batch go', () => {
    expect([shards(1, 2), shards(2, 2), shards(5, 2), shards(2, 5), shards(3, 16)]).toEqual([2, 1, 1, 2, 4]);
    expect([shards(1, 8, 35), shards(1, 8, 5), shards(4, 8, 25)]).toEqual([3, 1, 1]);
    expect(shards(1, 8, 0, 1)).toBe(1);
  });

  test('groups that are so already stay, and share the cores that there are now', () => {
    const input = { runs: 3, cores: 4, memory: 0, perWorker: 1, batchSize: 4 };
    expect(spreadRuns(input, [[0, 1], [2]])).toEqual({ groups: [[0, 1], [2]], shards: 2 });
    expect(spreadRuns({ ...input, cores: 1 }, [[0], [1], [2]]).shards).toBe(1);
  });

  test('and their fields are found again', () => {
    expect(globalField('runs.1.lr', [1, 3])).toBe('runs.3.lr');
    expect(globalField('rank', [1, 3])).toBe('rank');
    expect(globalField(null, [1])).toBeNull();
  });
});

describe('words', () => {
  test.each([
    ['1e-3', 1e-3],
    [' 0,5 ', 0.5],
    ['2.50', 2.5],
  ])('%s is a number', (text, value) => expect(parse(text)).toBe(value));

  test.each(['', 'x', '1e', '1 2'])('%j is none', (text) => expect(parse(text)).toBeNaN());

  test('hyper-parameters are written as people type them', () => {
    expect([1e-3, 2e-4, 0.9, 0.999, 8, 1e-6, 0.05, 0].map(setting)).toEqual([
      '1e-3',
      '2e-4',
      '0.9',
      '0.999',
      '8',
      '1e-6',
      '0.05',
      '0',
    ]);
    expect(setting(Number.NaN)).toBe('');
  });

  test('amounts', () => {
    expect(bytes(98_324_512)).toBe('98.3 MB');
    expect(bytes(4_294_967_296)).toBe('4.3 GB');
    expect([0.05, 0.4, 12, 200, 9000].map(duration)).toEqual([
      '50 ms',
      '0.40 s',
      '12 s',
      '3 min 20 s',
      '2 h 30 min',
    ]);
    expect([Math.PI, 1e-9, 123_456, null].map(measure)).toEqual(['3.142', '1.00e-9', '1.23e+5', '–']);
  });
});

test('a folder from a hub is reduced to what the loader reads', () => {
  const file = (name: string) => new File([''], name);
  const folder = ['config.json', 'README.md', 'model.safetensors', 'tokenizer.json', 'logo.png'].map(file);
  expect(modelFiles(folder).map(({ name }) => name)).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer.json',
  ]);
  expect(modelFiles([file('photo.jpg')]).map(({ name }) => name)).toEqual(['photo.jpg']);
});

describe('labels of a logarithmic axis', () => {
  test.each([
    [1, 1e6, [1, 10, 100, 1000, 1e4, 1e5, 1e6]],
    [0.5, 2e12, [1, 1000, 1e6, 1e9, 1e12]],
    [0.9, 30, [1, 2, 5, 10, 20]],
    [8e-5, 2e-3, [1e-4, 2e-4, 5e-4, 1e-3, 2e-3]],
    [16.2, 16.3, [16.2, 16.22, 16.24, 16.26, 16.28, 16.3]],
    [2, 2, [2]],
    [0, 5, []],
  ])('from %d to %d', (low, high, ticks) => expect(logTicks(low, high)).toEqual(ticks));
});

test('a new run takes the first free look', () => {
  expect(freeStyle([0, 1, 3])).toBe(2);
  expect(freeStyle([0, 1, 2, 3, 4, 5, 6, 7])).toBe(0);
});
