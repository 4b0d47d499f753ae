import { describe, expect, test, vi } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { RunSeries } from '../src/metrics/run-series';
import { aligned, keptSteps, MOST_KEPT, thin, thinner, thinPoints } from '../src/metrics/thin';
import type { RunReport } from '../src/protocol';
import { success } from '../src/result';
import { MOST_RUNS, RunBook } from '../src/runs/book';
import { isRunRecord } from '../src/runs/check';
import { compareRuns } from '../src/runs/compare';
import { runsCsv } from '../src/runs/csv';
import { type RunContext, type RunRecord, recordOf } from '../src/runs/record';
import { defaultView, shownRuns } from '../src/runs/table';
import { FakeShelf } from './fake-browser';

const { session, data: dataSettings, runs } = defaultConfig();
const context: RunContext = {
  model: 'toy',
  data: 'pairs.txt',
  dataSettings,
  session,
  engine: 'cpu',
  start: null,
  origin: 'training',
};

function series(losses: (number | null)[]): RunSeries {
  const made = new RunSeries();
  const gone = losses.indexOf(null);
  for (const [index, loss] of losses.entries()) {
    const diverged_at = gone >= 0 && index >= gone ? gone + 1 : null;
    made.record(index + 1, { loss, grad_norm: 1, lr: 1, diverged_at, diagnostics: null } as RunReport);
  }
  return made;
}

function record(name: string, edit: (run: RunRecord) => void = () => {}, when = 1): RunRecord {
  const [run] = runs;
  const made = run && recordOf({ ...run, name }, series([3, 2]), context, when);
  if (made === undefined) throw new Error('it has a step');
  edit(made);
  return made;
}

describe('thinning', () => {
  const falling = (steps: number) => Array.from({ length: steps }, (_, index): number | null => -index);

  test('keeps all of a short curve', () => {
    expect(keptSteps([falling(5)])).toEqual([1, 2, 3, 4, 5]);
    expect(keptSteps([[null]])).toEqual([1]);
    expect(keptSteps([[]])).toEqual([]);
    expect(keptSteps([])).toEqual([]);
    expect(thin([3, null, Number.POSITIVE_INFINITY])).toEqual({ steps: [1, 2, 3], values: [3, null, null] });
  });

  test('keeps first and last of a long one, within the bound, and no part of it is without points', () => {
    for (const steps of [MOST_KEPT, MOST_KEPT + 1, 2 * MOST_KEPT - 1, 1000, 100_000]) {
      const kept = keptSteps([falling(steps)]);
      expect(kept.length).toBeLessThanOrEqual(MOST_KEPT);
      expect(kept[0]).toBe(1);
      expect(kept.at(-1)).toBe(steps);
      const gaps = kept.slice(1).map((step, index) => step - (kept[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil((4 * steps) / MOST_KEPT));
    }
    expect(thin(falling(1000)).values.at(-1)).toBe(-999);
  });

  test('keeps a spike of one step and a dip of one step, wherever they are, with their steps', () => {
    for (const [up, down] of [
      [2, 3],
      [501, 777],
      [9998, 9997],
    ] as const) {
      const values = falling(10_000).map((_, index) => 2 + Math.sin(index));
      values[up - 1] = 50;
      values[down - 1] = -50;
      const { steps, values: kept } = thin(values);
      expect(kept[steps.indexOf(up)]).toBe(50);
      expect(kept[steps.indexOf(down)]).toBe(-50);
      expect([steps.at(-1), kept.at(-1)]).toEqual([10_000, values.at(-1)]);
    }
  });

  test('keeps the spikes of each of several curves', () => {
    const curves = [100, 200, 300].map((spike) => {
      const values = falling(5000);
      values[spike] = 9;
      return values;
    });
    const kept = keptSteps(curves);
    expect(kept).toEqual(expect.arrayContaining([101, 201, 301]));
    expect(kept.length).toBeLessThanOrEqual(MOST_KEPT);
  });

  test('keeps the lowest held-out loss, and the last', () => {
    const points = falling(1000).map((_, step) => ({ step, loss: step === 400 ? 0.5 : 2 }));
    const kept = thinPoints(points, 20);
    expect(kept.length).toBeLessThanOrEqual(20);
    expect(kept).toContainEqual({ step: 400, loss: 0.5 });
    expect(kept.at(-1)?.step).toBe(999);
  });

  test('makes a thin curve thinner, and leaves one that is thin enough', () => {
    const curve = { steps: [1, 10, 20, 30, 40, 50, 60, 70], values: [3, 2, 9, 2, 2, 0, 2, 1] };
    expect(thinner(curve, 8)).toEqual(curve);
    const { steps, values } = thinner(curve, 6);
    expect(steps.length).toBeLessThanOrEqual(6);
    expect(values).toEqual(expect.arrayContaining([3, 9, 0, 1]));
    expect(steps[values.indexOf(9)]).toBe(20);
  });

  test('curves of different steps have one axis, with gaps', () => {
    const one = { steps: [1, 3], values: [5, 4] };
    const other = { steps: [2, 3], values: [7, null] };
    expect(aligned([one, other])).toEqual({
      steps: [1, 2, 3],
      values: [
        [5, null, 4],
        [null, 7, null],
      ],
    });
  });
});

describe('a record', () => {
  test('says how far a run came, and where it diverged', () => {
    const [run] = runs;
    if (run === undefined) throw new Error('the defaults have runs');
    const fine = recordOf(run, series([3, 2]), context, 1);
    expect([fine?.firstLoss, fine?.lastLoss, fine?.stepsDone, fine?.divergedAt]).toEqual([3, 2, 2, null]);
    const gone = recordOf(run, series([3, null, null]), context, 1);
    expect([gone?.lastLoss, gone?.stepsDone, gone?.divergedAt]).toEqual([3, 2, 2]);
    expect(recordOf(run, new RunSeries(), context, 1)).toBeUndefined();
  });

  test('is told apart from what else storage may hold', () => {
    expect(isRunRecord(JSON.parse(JSON.stringify(record('x'))))).toBe(true);
    for (const wrong of [null, 3, {}, { ...record('x'), curve: 1 }, { ...record('x'), name: undefined }]) {
      expect(isRunRecord(wrong)).toBe(false);
    }
  });
});

describe('the table', () => {
  const all = [
    record('b', (run) => Object.assign(run, { validationLoss: 2 }), 3),
    record('a10', (run) => Object.assign(run, { validationLoss: null, divergedAt: 4 }), 2),
    record('a9', (run) => Object.assign(run, { validationLoss: 1, hidden: true, model: 'SmolLM2' }), 1),
  ];
  const names = (part: Partial<ReturnType<typeof defaultView>>) =>
    shownRuns(all, { ...defaultView(), showHidden: true, ...part }).map(({ name }) => name);

  test('has the newest first', () => {
    expect(names({})).toEqual(['b', 'a10', 'a9']);
    expect(names({ showHidden: false })).toEqual(['b', 'a10']);
  });

  test('sorts numbers as numbers and names as a reader would; what is missing is last both ways', () => {
    expect(names({ sortBy: 'Validation', direction: 'ascending' })).toEqual(['a9', 'b', 'a10']);
    expect(names({ sortBy: 'Validation', direction: 'descending' })).toEqual(['b', 'a9', 'a10']);
    expect(names({ sortBy: 'Name', direction: 'ascending' })).toEqual(['a9', 'a10', 'b']);
  });

  test('finds rows that have every word', () => {
    expect(names({ filter: 'diverged' })).toEqual(['a10']);
    expect(names({ filter: 'SMOLLM2 adamw' })).toEqual(['a9']);
    expect(names({ filter: 'smollm2 diverged' })).toEqual([]);
    expect(names({ filter: '  ' })).toHaveLength(3);
  });
});

test('a comparison marks what differs and nothing else', () => {
  const one = record('one');
  const other = record('two', (run) => {
    run.optimizer.lr = 0.5;
    run.session = { ...run.session, rank: 4 };
  });
  const differing = compareRuns(one, other).filter(({ differs }) => differs);
  expect(differing.map(({ name, values }) => [name, values[1]])).toEqual([
    ['lr', '0.5'],
    ['Rank', '4'],
  ]);
  const scaled = record('scaled', (run) => Object.assign(run, { optimizer: runs[1]?.optimizer }));
  expect(compareRuns(one, scaled).find(({ name }) => name === 'damping δ')?.values[0]).toBe('–');
});

describe('the book', () => {
  test('keeps, changes, removes and brings back', async () => {
    const made = new FakeShelf<RunRecord>();
    const { kept } = made;
    const book = new RunBook(made);
    const [one, other] = [record('one'), record('two')];
    await book.add([one, other]);
    await book.change(new Set([one.id]), (run) => {
      run.name = 'renamed';
    });
    const next = new RunBook(made);
    await next.open();
    expect(next.runs.value.map(({ name }) => name)).toEqual(['two', 'renamed']);
    const gone = await book.remove(new Set([other.id]));
    expect(kept.size).toBe(1);
    await book.add(gone);
    expect(book.runs.value.map(({ name }) => name)).toEqual(['two', 'renamed']);
  });

  test('says how many of its changes are on their way', async () => {
    const made = new FakeShelf<RunRecord>();
    const book = new RunBook(made);
    const one = record('one');
    const adding = book.add([one]);
    const renaming = book.change(new Set([one.id]), (run) => {
      run.name = 'renamed';
    });
    expect(book.underWay.value).toBe(2);
    await Promise.all([adding, renaming]);
    expect(book.underWay.value).toBe(0);
    made.refuses = 'no';
    const refused = book.remove(new Set([one.id]));
    expect(book.underWay.value).toBe(1);
    await refused;
    expect(book.underWay.value).toBe(0);
  });

  test('is emptied here and on its shelf', async () => {
    const made = new FakeShelf<RunRecord>();
    const { kept } = made;
    const book = new RunBook(made);
    await book.add([record('one'), record('two')]);
    expect(await book.size()).toBe(2);
    expect(await book.empty()).toEqual(success(null));
    expect(book.runs.value).toEqual([]);
    expect(kept.size).toBe(0);
    expect(await book.size()).toBe(0);
  });

  test('that a browser refuses to empty stays as it is', async () => {
    const made = new FakeShelf<RunRecord>();
    const book = new RunBook(made);
    await book.add([record('one')]);
    made.refuses = 'no';
    expect(await book.empty()).toMatchObject({ ok: false, failure: { message: 'no' } });
    expect(book.runs.value).toHaveLength(1);
    expect(await book.size()).toBe(0);
  });

  test('is the same in all tabs, and none takes back what another did', async () => {
    const made = new FakeShelf<RunRecord>();
    const [here, there] = [new RunBook(made), new RunBook(made.inAnotherTab())];
    const [one, other] = [record('one'), record('two')];
    await Promise.all([here.add([one]), there.add([other])]);
    await vi.waitFor(() => {
      expect(here.runs.value.map(({ name }) => name)).toEqual(['two', 'one']);
      expect(there.runs.value).toEqual(here.runs.value);
    });
    // At once, before either has heard of the other.
    const renamed = here.change(new Set([one.id]), (run) => {
      run.name = 'renamed';
    });
    const hidden = there.change(new Set([one.id]), (run) => {
      run.hidden = true;
    });
    await Promise.all([renamed, hidden]);
    expect(made.kept.get(one.id)).toMatchObject({ name: 'renamed', hidden: true });
    await Promise.all([here.remove(new Set([other.id])), there.change(new Set([other.id]), () => {})]);
    expect([...made.kept.keys()]).toEqual([one.id]);
    await vi.waitFor(() => expect(there.runs.value).toMatchObject([{ name: 'renamed', hidden: true }]));
  });

  test('read while it is written shows neither what has gone nor a gap', async () => {
    const made = new FakeShelf<RunRecord>();
    const [one, other] = [record('one'), record('two')];
    await new RunBook(made).add([one]);
    const book = new RunBook(made);
    await book.open();
    const reading = book.open();
    const gone = book.remove(new Set([one.id]));
    const added = book.add([other]);
    await Promise.all([reading, gone, added]);
    expect(book.runs.value.map(({ name }) => name)).toEqual(['two']);
  });

  test('holds no more than it may, and says what went', async () => {
    const made = new FakeShelf<RunRecord>();
    const { kept } = made;
    const book = new RunBook(made);
    const many = Array.from({ length: MOST_RUNS }, (_, index) => record(`${index}`, () => {}, index + 10));
    await book.add(many);
    expect(book.notice.value).toBe('');
    await book.add([record('newest', () => {}, 10_000)]);
    expect(book.runs.value).toHaveLength(MOST_RUNS);
    expect(book.runs.value[0]?.name).toBe('newest');
    expect(kept.size).toBe(MOST_RUNS);
    expect(book.notice.value).toContain('the oldest 1 went');
  });
});

test('the table leaves as CSV, with whole numbers and harmless names', async () => {
  const [head = '', first = ''] = (
    await runsCsv([record('=1+1', (run) => Object.assign(run, { validationLoss: 0.1 + 0.2 }), 0)])
  ).split('\r\n');
  const columns = head.split(',');
  expect(columns.slice(0, 3)).toEqual(['name', 'method', 'origin']);
  const cells = first.split(',');
  expect(cells).toHaveLength(columns.length);
  expect(cells[0]).toBe(`"'=1+1"`);
  const cell = (name: string) => cells[columns.indexOf(name)];
  expect(cell('validation_loss')).toBe('0.30000000000000004');
  expect(cell('diverged_at')).toBe('');
  expect(cell('ended')).toBe('1970-01-01T00:00:00.000Z');
});
