import { describe, expect, test } from 'vitest';
import { logTicks } from '../src/charts/log-ticks';
import { freeStyle } from '../src/charts/run-style';
import { modelFiles } from '../src/controls/dropped';
import { chooseEngine } from '../src/engine/engine-choice';
import { globalField, spreadRuns } from '../src/lab/spread';
import { bytes, count, duration, large, measure, percent, rate, setting } from '../src/words/numbers';
import { readNumber } from '../src/words/read-number';

const real = { vendor: 'nvidia', architecture: 'ada', description: '', fallback: false };

describe('the engine', () => {
  test('class_29 is WebGPU only on a real adapter', () => {
    expect(chooseEngine('auto', real, 'built').engine).toBe('webgpu');
    expect(chooseEngine('auto', undefined, 'built').engine).toBe('cpu');
    expect(chooseEngine('auto', null, 'built').engine).toBe('cpu');
    expect(chooseEngine('auto', { ...real, fallback: true }, 'built').engine).toBe('cpu');
    expect(
      chooseEngine('auto', { ...real, vendor: 'google', architecture: 'swiftshader' }, 'built').engine,
    ).toBe('cpu');
  });

  test('is the user’s where it can be', () => {
    expect(chooseEngine('cpu', real, 'built')).toMatchObject({ engine: 'cpu', reason: 'You chose the CPU.' });
    expect(chooseEngine('webgpu', { ...real, fallback: true }, 'built').engine).toBe('webgpu');
    expect(chooseEngine('webgpu', null, 'built').engine).toBe('cpu');
  });

  test('is the CPU while the page has no WebGPU module, and the page says which of the two it is', () => {
    for (const preference of ['auto', 'webgpu'] as const) {
      const toCome = chooseEngine(preference, real, 'to come');
      expect(toCome.engine).toBe('cpu');
      expect(toCome.reason).toContain('still being built');
      const leftOut = chooseEngine(preference, real, 'left out');
      expect(leftOut.engine).toBe('cpu');
      expect(leftOut.reason).toContain('not part of this build');
    }
    // Where WebGPU would not be taken anyhow, waiting for it is no reason.
    expect(chooseEngine('auto', { ...real, fallback: true }, 'to come').reason).toContain('software');
    expect(chooseEngine('cpu', real, 'to come').reason).toBe('You chose the CPU.');
    expect(chooseEngine('auto', undefined, 'to come').reason).toContain('has no WebGPU');
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

describe('a number', () => {
  test.each([
    ['1e-3', 1e-3],
    ['1E+3', 1000],
    ['2.50', 2.5],
    ['.5', 0.5],
    ['−4', -4],
    // As this page prints counts.
    ['1,000', 1000],
    ['12,345,678', 12_345_678],
    ['1,234.5', 1234.5],
    // As others write thousands.
    ['1 000', 1000],
    ['1\u202f000\u00a0000', 1e6],
    ['1’000', 1000],
    ['10_000', 10_000],
    ['1 234,5', 1234.5],
    // A comma for decimals.
    [' 0,5 ', 0.5],
    ['0,001', 1e-3],
    ['1,25', 1.25],
    ['1,5e-3', 1.5e-3],
    // As `large` prints them.
    ['12.3 k', 12_300],
    ['134.5 M', 134_500_000],
  ])('%j is read', (text, value) => expect(readNumber(text)).toEqual({ value, problem: '' }));

  test.each([
    ['fast', '“fast” is no number'],
    ['1e', 'is no number'],
    ['1 2 x 3', 'is no number'],
    ['0x10', 'is no number'],
    ['Infinity', 'is no number'],
    ['-', 'is no number'],
    ['.', 'is no number'],
    ['1 2', '“1 2” can be read in more than one way'],
    ['1.000.000', 'more than one way'],
    ['1.234,5', 'more than one way'],
    ['1,00,000', 'more than one way'],
    ['1,000e3', 'more than one way'],
    ['20 s', '“20 s” has a unit'],
    ['4.3 GB', 'has a unit'],
    ['10 %', 'has a unit'],
    ['1.2 B', 'has a unit'],
  ])('%j is refused by name', (text, words) => {
    const { value, problem } = readNumber(text);
    expect(value).toBeNaN();
    expect(problem).toContain(words);
  });

  test('is nothing where nothing was typed', () => {
    expect(readNumber('  ')).toEqual({ value: null, problem: '' });
  });

  test('is read as it was printed', () => {
    for (const value of [7, 1000, 12_345, 1_234_567]) expect(readNumber(count(value)).value).toBe(value);
    for (const value of [1e-9, 3.16e-4, 0.05, 0.9, 8, 1000, 1e21]) {
      expect(readNumber(setting(value)).value).toBe(value);
    }
    for (const value of [1e-9, Math.SQRT2, 123_456]) {
      expect(readNumber(measure(value)).value).toBeCloseTo(value, value > 1000 ? -4 : 3);
    }
    expect(readNumber(large(12_300)).value).toBe(12_300);
  });
});

describe('words', () => {
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

  test.each([
    [0, '0 ms'],
    [0.00994, '9.9 ms'],
    [0.00996, '10 ms'],
    [0.0996, '0.10 s'],
    [0.996, '1.0 s'],
    [9.96, '10 s'],
    [99.6, '1 min 40 s'],
    [119.7, '2 min 0 s'],
    [239.7, '4 min 0 s'],
    [5999.4, '99 min 59 s'],
    [5999.7, '1 h 40 min'],
    [7199, '2 h 0 min'],
    [3_599_990, '1,000 h 0 min'],
  ])('%d seconds are %s', (seconds, words) => expect(duration(seconds)).toBe(words));

  test('no time has 60 seconds beside its minutes, or 60 minutes beside its hours', () => {
    const times = Array.from({ length: 100_000 }, (_, tenths) => duration(tenths / 10));
    expect(times.filter((words) => /(min|h) 60 |^100 min/.test(words))).toEqual([]);
  });

  test.each([
    [999, '999 B'],
    [999_600, '1 MB'],
    [999_940_000, '1 GB'],
    [99_960_000, '100 MB'],
    [1.5e15, '1,500 TB'],
  ])('%d bytes are %s', (amount, words) => expect(bytes(amount)).toBe(words));

  test.each([
    [9999, '9,999'],
    [10_000, '10 k'],
    [999_960, '1 M'],
    [134_515_008, '134.5 M'],
    [999_999_999, '1 B'],
  ])('%d is %s at a glance', (amount, words) => expect(large(amount)).toBe(words));

  test('what is rounded has the digits of what it was rounded to', () => {
    expect([9999.96, 0.000999996].map(measure)).toEqual(['1.00e+4', '0.001000']);
    expect([0.996, 9.96, 99.96].map(rate)).toEqual(['1', '10', '100']);
    expect([0.0996, 0.004, 0.5, 0.9996].map(percent)).toEqual(['10 %', '0.4 %', '50 %', '100 %']);
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
  // Two GGUF files may be parts of one model; the loader says so where they are not.
  const two = ['notes.txt', 'a.gguf', 'b.gguf', 'config.json'].map(file);
  expect(modelFiles(two).map(({ name }) => name)).toEqual(['a.gguf', 'b.gguf']);
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
  // The ninth has a colour again, with another dash.
  expect(freeStyle([0, 1, 2, 3, 4, 5, 6, 7])).toBe(9);
});
