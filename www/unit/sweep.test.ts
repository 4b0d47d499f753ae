import { beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { ExperimentMetrics } from '../src/metrics/experiment-metrics';
import { thin } from '../src/metrics/thin';
import type { DataSummary } from '../src/protocol';
import { RunBook } from '../src/runs/book';
import type { RunRecord } from '../src/runs/record';
import { Signal } from '../src/signal';
import { MOST_SWEEPS, SweepBook } from '../src/sweep/book';
import { curvesState, robustnessState } from '../src/sweep/chart-state';
import { checkSweep } from '../src/sweep/check';
import { defaultSweep, type SweepConfig } from '../src/sweep/config';
import { readSweep } from '../src/sweep/config-store';
import { gridValues, readValues, unreadValue, writeValues } from '../src/sweep/grid';
import { lineNames, linesOf, questionOf } from '../src/sweep/lines';
import { banksOf, largestFitting, type Point, pendingPoints, wantedPoints } from '../src/sweep/plan';
import { keyOf, type SweepBasis, type SweepRecord } from '../src/sweep/record';
import { Sweep } from '../src/sweep/sweep';
import { outcomeWords, sentenceOf } from '../src/sweep/words';
import { FakeBrowser, FakeShelf } from './fake-browser';
import { FakeWorker } from './fake-worker';

function config(edit: (config: SweepConfig) => void = () => {}): SweepConfig {
  const made = defaultSweep();
  edit(made);
  return made;
}

describe('a grid', () => {
  test('has equal ratios or equal distances, and both ends as they are', () => {
    expect(gridValues({ lowest: 1e-4, highest: 1e-1, points: 4, log: true })).toEqual([
      1e-4, 1e-3, 1e-2, 0.1,
    ]);
    expect(gridValues({ lowest: 1, highest: 3, points: 5, log: false })).toEqual([1, 1.5, 2, 2.5, 3]);
    expect(gridValues({ lowest: 1e-4, highest: 1e-1, points: 7, log: true })[1]).toBe(3.16e-4);
  });

  test('of ranks is whole and says nothing twice', () => {
    expect(gridValues({ lowest: 1, highest: 64, points: 7, log: true }, true)).toEqual([
      1, 2, 4, 8, 16, 32, 64,
    ]);
    expect(gridValues({ lowest: 1, highest: 3, points: 9, log: true }, true)).toEqual([1, 2, 3]);
  });

  test('of nonsense is empty', () => {
    const grid = { lowest: 1e-3, highest: 1e-1, points: 3, log: true };
    for (const wrong of [
      { points: 0 },
      { points: 1 },
      { points: 2.5 },
      { points: Number.NaN },
      { lowest: -1 },
      { lowest: 0 },
      { lowest: 1 },
      { highest: Number.POSITIVE_INFINITY },
    ]) {
      expect(gridValues({ ...grid, ...wrong })).toEqual([]);
    }
  });

  test('is read back as it was written', () => {
    const values = gridValues({ lowest: 1e-5, highest: 10, points: 13, log: true });
    expect(readValues(writeValues(values))).toEqual(values);
    expect(readValues(' 1e-2; 3\n1e-2  .5 ')).toEqual([1e-2, 0.5, 3]);
    expect(readValues('1, x')).toEqual([1, Number.NaN]);
    expect(readValues(' , ')).toEqual([]);
    expect(readValues('1,2,4')).toEqual([1, 2, 4]);
    expect(readValues('0.1,100')).toEqual([0.1, 100]);
  });

  test.each(['1,000', '8,128,256', '0,001', '0,5'])('%s may be one number or several', (text) => {
    expect(readValues(text)).toEqual([Number.NaN]);
    expect(unreadValue(text)).toContain(`“${text}” can be one number or several`);
    expect(unreadValue(text.replaceAll(',', ', '))).toBe('');
  });

  test('says what in it is no number', () => {
    expect(unreadValue('1e-3, fast')).toContain('“fast” is no number');
    const wrong = config(({ values }) => Object.assign(values, { lr: '1e-3, fast' }));
    expect(checkSweep(wrong).get('sweep.values')).toContain('“fast” is no number');
  });
});

describe('what is wrong with a sweep', () => {
  const problemsOf = (edit: (config: SweepConfig) => void) => [...checkSweep(config(edit)).keys()];

  test('is said at its field', () => {
    expect(problemsOf(() => {})).toEqual([]);
    expect(problemsOf(({ grids }) => Object.assign(grids.lr, { points: 0 }))).toEqual(['sweep.points']);
    expect(problemsOf(({ grids }) => Object.assign(grids.lr, { lowest: -1 }))).toEqual(['sweep.lowest']);
    expect(problemsOf(({ grids }) => Object.assign(grids.lr, { lowest: 1 }))).toEqual(['sweep.highest']);
    expect(problemsOf(({ values }) => Object.assign(values, { lr: '1e-3, fast' }))).toEqual(['sweep.values']);
    expect(problemsOf(({ values }) => Object.assign(values, { lr: '' }))).toEqual(['sweep.values']);
    expect(problemsOf((sweep) => Object.assign(sweep, { methods: [] }))).toEqual(['sweep.methods']);
    expect(problemsOf((sweep) => Object.assign(sweep, { validationEvery: -1 }))).toEqual([
      'sweep.validation_every',
    ]);
  });

  test('is more than 200 runs', () => {
    const many = Array.from({ length: 101 }, (_, index) => index + 1).join();
    expect(
      checkSweep(config(({ values }) => Object.assign(values, { lr: many }))).get('sweep.values'),
    ).toContain('202 runs');
  });

  test('is a rank that is no rank, an lr of nothing, and a damping of plain methods', () => {
    const rank = (values: string) =>
      problemsOf((sweep) =>
        Object.assign(sweep, { quantity: 'rank', values: { ...sweep.values, rank: values } }),
      );
    expect(rank('1, 4')).toEqual([]);
    expect(rank('1.5')).toEqual(['sweep.values']);
    expect(rank('65')).toEqual(['sweep.values']);
    expect(
      problemsOf((sweep) => Object.assign(sweep, { quantity: 'rank', lrs: { adamw: Number.NaN } })),
    ).toEqual(['sweep.lr.adamw']);
    expect(problemsOf((sweep) => Object.assign(sweep, { quantity: 'damping', methods: ['adamw'] }))).toEqual([
      'sweep.methods',
    ]);
  });

  test('in storage has its default', () => {
    expect(readSweep('nonsense')).toEqual(defaultSweep());
    const found = readSweep({
      quantity: 'x',
      methods: ['adamw', 'no such'],
      grids: { lr: 3 },
      lrs: { sgd: 'x' },
    });
    expect(found).toEqual({ ...defaultSweep(), methods: ['adamw'] });
    expect(readSweep(JSON.parse(JSON.stringify(defaultSweep())))).toEqual(defaultSweep());
  });
});

describe('the planner', () => {
  test('wants each method at each value, value after value', () => {
    const wanted = wantedPoints(
      config(({ values }) => Object.assign(values, { lr: '1e-2, 1e-3' })),
      60,
      8,
    );
    expect(wanted.map(({ method, lr, rank }) => [method, lr, rank])).toEqual([
      ['adamw', 1e-3, 8],
      ['scaled-adamw-safe', 1e-3, 8],
      ['adamw', 1e-2, 8],
      ['scaled-adamw-safe', 1e-2, 8],
    ]);
  });

  test('varies rank or damping at the lr of each method', () => {
    const ranks = config((sweep) => {
      sweep.quantity = 'rank';
      sweep.values.rank = '2, 4';
      sweep.lrs = { adamw: 0.5 };
    });
    const points = wantedPoints(ranks, 60, 8);
    expect(points.map(({ rank }) => rank)).toEqual([2, 2, 4, 4]);
    expect(points[0]?.optimizer.lr).toBe(0.5);
    const dampings = wantedPoints({ ...ranks, quantity: 'damping' }, 60, 8);
    expect(new Set(dampings.map(({ method }) => method))).toEqual(new Set(['scaled-adamw-safe']));
    expect(dampings[0]?.optimizer.preconditioner?.damping).toBe(1e-6);
  });

  test('trains only what has no result', () => {
    const wanted = wantedPoints(
      config(({ values }) => Object.assign(values, { lr: '1, 2' })),
      60,
      8,
    );
    const done = { method: 'adamw', value: 1, lr: 1 } as SweepRecord['results'][number];
    expect(pendingPoints(wanted, [done]).map(({ method, value }) => `${method} ${value}`)).toEqual([
      'scaled-adamw-safe 1',
      'adamw 2',
      'scaled-adamw-safe 2',
    ]);
  });

  test('wants all of them again with each seed, and trains those of one seed together', () => {
    const twice = config((sweep) => {
      sweep.values.lr = '1, 2';
      sweep.seeds = 2;
    });
    const wanted = wantedPoints(twice, 60, 8);
    expect(wanted.map(({ value, repeat }) => [value, repeat])).toEqual(
      [0, 1].flatMap((repeat) => [1, 1, 2, 2].map((value) => [value, repeat])),
    );
    // A result that was kept before there were seeds is of the first.
    const done = { method: 'adamw', value: 1, lr: 1 } as SweepRecord['results'][number];
    expect(pendingPoints(wanted, [done])).toHaveLength(7);
    expect(pendingPoints(wanted, [done, { ...done, repeat: 1 }])).toHaveLength(6);
    expect(banksOf(wanted, () => 9).map((bank) => bank.map(({ repeat }) => repeat))).toEqual([
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ]);
    expect([...checkSweep(config((sweep) => Object.assign(sweep, { seeds: 0 }))).keys()]).toEqual([
      'sweep.seeds',
    ]);
    expect([...checkSweep(config((sweep) => Object.assign(sweep, { seeds: 16 }))).keys()]).toEqual([
      'sweep.values',
    ]);
  });

  test('makes banks of one rank, as few as fit and as even as possible', () => {
    const points = [1, 1, 1, 1, 1, 1, 1, 2, 2].map((rank, value) => ({ rank, value }) as Point);
    const sizes = banksOf(points, (rank) => (rank === 1 ? 3 : 2)).map((bank) =>
      bank.map(({ value }) => value),
    );
    expect(sizes).toEqual([[0, 1, 2], [3, 4, 5], [6], [7, 8]]);
    expect(banksOf(points.slice(0, 6), () => 4).map((bank) => bank.length)).toEqual([3, 3]);
    expect(banksOf([], () => 4)).toEqual([]);
  });

  test('finds the largest bank that fits with few questions', async () => {
    for (const limit of [0, 1, 2, 7, 40, 64]) {
      let asked = 0;
      const found = await largestFitting(64, async (count) => {
        asked += 1;
        return count <= limit;
      });
      expect(found).toBe(limit);
      expect(asked).toBeLessThanOrEqual(8);
    }
    expect(await largestFitting(0, async () => true)).toBe(0);
  });
});

const source = { name: 'pairs.txt', blob: new Blob(['a||b']) };

/** A sweep of two methods over `lrs` on fakes, in an app that has model and data. */
async function open(
  lrs: string,
  edit: (worker: FakeWorker) => void = () => {},
  kept = new FakeShelf<SweepRecord>(),
  tab = new FakeBrowser().open(),
) {
  const lab = new Lab(() => new FakeWorker(edit), { cores: 2, memory: 0 });
  const settings = defaultConfig();
  settings.session.steps = 4;
  const app = new App(lab, new Signal(settings));
  await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
  await lab.loadModel([new File(['x'], 'model.gguf')]);
  await app.readData(source);
  lab.data.set({ status: 'ready', value: { statistics: { validation_examples: 4 } } as DataSummary });
  const book = new SweepBook(kept);
  const ofRuns = new FakeShelf<RunRecord>();
  ofRuns.refuses = kept.refuses;
  const runs = new RunBook(ofRuns);
  const own = config(({ values }) => Object.assign(values, { lr: lrs }));
  return { app, lab, book, runs, sweep: new Sweep(app, new Signal(own), book, runs, tab) };
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
};

beforeEach(() => {
  FakeWorker.all = [];
});

describe('a sweep', () => {
  test('trains all points, records what diverged, and leaves the lab free', async () => {
    const { app, lab, sweep, book, runs } = await open('0.1, 0.2, 1000');
    const training = sweep.start();
    expect(app.locked).toBe(true);
    await training;
    expect(sweep.phase.value).toBe('finished');
    const results = book.sweeps.value[0]?.results ?? [];
    expect(results).toHaveLength(6);
    expect(results.filter(({ divergedAt }) => divergedAt !== null).map(({ value }) => value)).toEqual([
      1000, 1000,
    ]);
    expect(results.every(({ value, validationLoss }) => (value === 1000) === (validationLoss === null))).toBe(
      true,
    );
    expect(book.sweeps.value[0]?.baseLoss).toBe(1);
    expect(runs.runs.value).toHaveLength(6);
    expect(lab.phase.value).toBe('idle');
    expect(app.locked).toBe(false);
    expect(sweep.whyNot).toContain('All of these runs are there');
  });

  test('trains only the points that were added', async () => {
    const { sweep, book, runs } = await open('0.1');
    await sweep.start();
    sweep.change(({ values }) => Object.assign(values, { lr: '0.1, 0.3' }));
    expect(sweep.pending).toHaveLength(2);
    await sweep.start();
    expect(book.sweeps.value).toHaveLength(1);
    expect(book.sweeps.value[0]?.results.map(({ value }) => value)).toEqual([0.1, 0.1, 0.3, 0.3]);
    expect(runs.runs.value).toHaveLength(4);
  });

  test('trains each run with every seed, and keeps which', async () => {
    const { sweep, book, runs, app } = await open('0.1, 0.2');
    const seeds = new Set<number>();
    sweep.measured.subscribe(() => {
      for (const { settings } of FakeWorker.all) if (settings !== null) seeds.add(settings.seed);
    });
    const { seed } = app.config.value.session;
    sweep.change((config) => Object.assign(config, { seeds: 3 }));
    await sweep.start();
    expect(seeds).toEqual(new Set([seed, seed + 1, seed + 2]));
    const [record] = book.sweeps.value;
    expect(record?.results.map(({ repeat }) => repeat)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(record?.basis.session.seed).toBe(seed);
    expect(runs.runs.value.map(({ session }) => session.seed).sort()).toEqual(
      [0, 1, 2].flatMap((repeat) => Array.from({ length: 4 }, () => seed + repeat)),
    );
    expect(sweep.pending).toHaveLength(0);
  });

  test('other settings are another sweep, and the old one comes back with them', async () => {
    const { app, sweep, book } = await open('0.1');
    await sweep.start();
    app.change(({ session }) => Object.assign(session, { alpha: 32 }));
    expect(sweep.pending).toHaveLength(2);
    expect(sweep.shown.value?.key).not.toBe(sweep.key);
    await sweep.start();
    expect(book.sweeps.value).toHaveLength(2);
    app.change(({ session }) => Object.assign(session, { alpha: 16 }));
    expect(sweep.pending).toHaveLength(0);
    expect(sweep.shown.value?.basis.session.alpha).toBe(16);
  });

  test('makes more banks where memory is short, and pauses between steps', async () => {
    // A base of 100 and 100 a run: nine runs fit into one worker of 1000.
    const { sweep, book } = await open('1, 2, 3, 4, 5, 6, 7, 8, 9, 10');
    const sizes = new Set<number>();
    sweep.measured.subscribe(() => sizes.add(sweep.bank?.points.length ?? 0));
    const training = sweep.start();
    await until(() => sweep.phase.value === 'running');
    sweep.pause();
    await until(() => sweep.phase.value === 'paused');
    const before = sweep.progress.done;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sweep.progress.done).toBe(before);
    expect(sweep.progress.banks).toBe(2);
    sweep.resume();
    await training;
    expect(book.sweeps.value[0]?.results).toHaveLength(20);
    expect(sizes).toContain(10);
  });

  test('stopped, keeps what had finished and can go on', async () => {
    const { sweep, book, app } = await open('1, 2, 3, 4, 5, 6, 7, 8, 9, 10');
    const training = sweep.start();
    await until(() => sweep.progress.bank === 2 && sweep.phase.value === 'running');
    sweep.stop();
    await training;
    expect(sweep.phase.value).toBe('stopped');
    expect(sweep.failure.value).toBeNull();
    expect(book.sweeps.value[0]?.results).toHaveLength(10);
    expect(app.locked).toBe(false);
    expect(sweep.pending).toHaveLength(10);
    await sweep.start();
    expect(book.sweeps.value[0]?.results).toHaveLength(20);
  });

  test('says which setting the engine refuses, and marks no run of the table', async () => {
    const refused = { place: 'settings', field: 'runs.0.lr', message: 'lr is too small' };
    const { sweep, app } = await open('1', (worker) => {
      worker.refuses = refused;
    });
    await sweep.start();
    expect(sweep.phase.value).toBe('failed');
    expect(sweep.failure.value?.message).toBe('lr is too small');
    expect(app.problems.value.size).toBe(0);
    expect(app.locked).toBe(false);
  });

  test('says it where not even one run fits', async () => {
    const { sweep } = await open('1', (worker) => {
      const total = 5000;
      worker.api.estimate = async () => ({
        ok: true,
        value: { base: total, texts: 0, runs: 0, activations: 0, total, limit: 1000 },
      });
    });
    await sweep.start();
    expect(sweep.failure.value?.message).toContain('One worker needs more memory');
  });

  test('and the lab’s other training exclude each other', async () => {
    const { sweep, app } = await open('1');
    const training = app.start();
    expect(sweep.whyNot).toContain('Language tab');
    await sweep.start();
    expect(sweep.phase.value).toBe('idle');
    await training;
    const sweeping = sweep.start();
    await app.start();
    expect(app.metrics.value).toBeNull();
    await sweeping;
    expect(sweep.phase.value).toBe('finished');
  });

  test('in two tabs trains each run once', async () => {
    const browser = new FakeBrowser();
    const kept = new FakeShelf<SweepRecord>(new Map(), browser);
    const one = await open('0.1, 0.2', undefined, kept, browser.open());
    const two = await open('0.2, 0.3', undefined, kept.inAnotherTab(), browser.open());
    const same = await open('0.1', undefined, kept.inAnotherTab(), browser.open());
    const first = one.sweep.start();
    await until(() => one.sweep.phase.value === 'preparing' || one.sweep.phase.value === 'running');
    const second = two.sweep.start();
    await same.sweep.start();
    expect(same.sweep.phase.value).toBe('failed');
    expect(same.sweep.failure.value?.message).toContain('Another tab trains these runs');
    await Promise.all([first, second]);
    expect(two.book.notice.value).toContain('Another tab trains 2 runs');
    const trained = [one, two, same].map(({ runs }) => runs.runs.value.map(({ optimizer }) => optimizer.lr));
    expect(trained.map((lrs) => lrs.sort())).toEqual([[0.1, 0.1, 0.2, 0.2], [0.3, 0.3], []]);
    await same.book.open();
    expect(same.book.sweeps.value[0]?.results).toHaveLength(6);
    // Nobody has a run when its sweep is over.
    expect(browser.held).toEqual([]);
  });

  test('merges its results with those of another tab', async () => {
    const kept = new FakeShelf<SweepRecord>();
    const [here, there] = [
      await open('0.1', undefined, kept),
      await open('0.2', undefined, kept.inAnotherTab()),
    ];
    await Promise.all([here.sweep.start(), there.sweep.start()]);
    const values = ({ results }: SweepRecord) => results.map(({ value }) => value).sort();
    await vi.waitFor(() => expect(here.book.sweeps.value.map(values)).toEqual([[0.1, 0.1, 0.2, 0.2]]));
    expect([...kept.kept.values()].map(values)).toEqual([[0.1, 0.1, 0.2, 0.2]]);
    expect(there.book.sweeps.value.map(values)).toEqual([[0.1, 0.1, 0.2, 0.2]]);
  });

  test('that is forgotten comes back only when it is put back', async () => {
    const kept = new FakeShelf<SweepRecord>();
    const [here, there] = [
      await open('0.1', undefined, kept),
      await open('0.2', undefined, kept.inAnotherTab()),
    ];
    await here.sweep.start();
    await vi.waitFor(() => expect(there.book.sweeps.value).toHaveLength(1));
    const training = there.sweep.start();
    const forgotten = await here.sweep.forget();
    await training;
    await vi.waitFor(() =>
      expect(here.book.sweeps.value[0]?.results.map(({ value }) => value)).toEqual([0.2, 0.2]),
    );
    expect(there.book.sweeps.value).toEqual(here.book.sweeps.value);
    if (forgotten !== null) await here.book.put(forgotten);
    expect(here.book.sweeps.value[0]?.results).toHaveLength(4);
    expect([...kept.kept.values()][0]?.results).toHaveLength(4);
  });

  test('keeps as many sweeps as it may, and says what went', async () => {
    const { sweep, book, app } = await open('0.1');
    for (let alpha = 1; alpha <= MOST_SWEEPS + 1; alpha += 1) {
      app.change(({ session }) => Object.assign(session, { alpha }));
      await sweep.start();
    }
    expect(book.sweeps.value).toHaveLength(MOST_SWEEPS);
    expect(book.notice.value).toContain('the oldest 1 went');
  });

  test('goes on in memory where storage refuses, and says so', async () => {
    const full = new FakeShelf<SweepRecord>();
    full.refuses = 'quota exceeded';
    const { sweep, book, runs } = await open('1', () => {}, full);
    await sweep.start();
    expect(book.sweeps.value[0]?.results).toHaveLength(2);
    expect(runs.runs.value).toHaveLength(2);
    expect(book.failure.value?.message).toContain('quota exceeded');
    expect(runs.failure.value?.message).toContain('until the page is closed');
  });
});

describe('lines', () => {
  const run = (method: string, value: number, lr: number, validationLoss: number | null) =>
    ({ method, value, lr, validationLoss, divergedAt: validationLoss === null ? 3 : null }) as never;
  const record = (quantity: 'lr' | 'rank', results: never[]) =>
    ({ basis: { quantity }, baseLoss: 3, results }) as unknown as SweepRecord;

  test('are one a method, at rising values, and keep their look', () => {
    const lines = linesOf(
      record('lr', [run('adamw', 2, 2, 1), run('sgd', 1, 1, 2), run('adamw', 1, 1, null)]),
    );
    expect(lines.map(({ style, runs }) => [style, runs.map(({ value }) => value)])).toEqual([
      [0, [1, 2]],
      [1, [1]],
    ]);
    expect(lineNames(record('lr', [run('sgd', 1, 1, 2)]), [{ method: 'adamw', lr: 1 }], 'lr')[0]).toBe(
      lines[1]?.name,
    );
  });

  test('where rank is varied, another lr is another line', () => {
    const names = linesOf(record('rank', [run('sgd', 2, 0.1, 1), run('sgd', 2, 0.2, 1)])).map(
      ({ name }) => name,
    );
    expect(new Set(names).size).toBe(2);
    expect(questionOf(record('rank', [run('sgd', 2, 0.1, 1)])).results[0]?.lr).toBe(2);
  });

  test('of several seeds are means, with the range of the seeds around them', () => {
    const seeds = [2, 2.5, 3].map(
      (loss, repeat) => ({ ...(run('sgd', 1, 1, loss) as object), repeat }) as never,
    );
    const of = record('lr', [...seeds, run('sgd', 2, 2, 4)]);
    expect(questionOf(of).results.map(({ lr, seed }) => [lr, seed])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
      [2, 0],
    ]);
    const [line] = linesOf(of);
    if (line === undefined) throw new Error('there is a line');
    const curve = [
      { lr: 1, loss: 2.5, seeds: [2, 2.5, 3] },
      { lr: 2, loss: 4, seeds: [4] },
      { lr: 3, loss: null, seeds: [4, null] },
    ];
    const summary = { best_lr: 1, curve } as never;
    expect(robustnessState(of, [{ ...line, summary }]).lines[0]?.points).toEqual([
      { value: 1, loss: 2.5, range: [2, 3] },
      { value: 2, loss: 4 },
      { value: 3, loss: null },
    ]);
    expect(outcomeWords(line.runs.slice(0, 3))).toEqual({
      diverged: false,
      words: '2.500 (2.000 to 3.000, 3 seeds)',
    });
    const gone = run('sgd', 1, 1, null);
    expect(outcomeWords([gone])).toEqual({ diverged: true, words: 'diverged at 3' });
    expect(outcomeWords([gone, gone, ...seeds])).toEqual({ diverged: true, words: '2 of 5 seeds diverged' });
    expect(outcomeWords([]).words).toBe('–');
  });

  test('are told in words', () => {
    const [line] = linesOf(record('lr', [run('sgd', 1, 1, 2), run('sgd', 2, 2, null)]));
    if (line === undefined) throw new Error('there is a line');
    const summary = {
      best_loss: 2,
      best_lr: 1,
      width_own_decades: 0.394,
      width_overall_decades: 0,
      width_own: { least: 0.25, most: 0.5 },
      width_overall: { least: 0, most: 0.5 },
      diverged: 1,
      worse_than_base: 0,
      best_at_edge: true,
      curve: [],
    };
    const words = sentenceOf({ ...line, summary }, 'lr');
    expect(words).toContain('best validation loss 2.000 at learning rate 1');
    expect(words).toContain(
      'within 5 % of it over 0.25 to 0.50 decades, nowhere within 5 % of the best of all',
    );
    expect(words).toContain('1 diverged of 2 runs.');
    expect(words).toContain('a better one may lie outside');
    expect(sentenceOf({ ...line, summary: { ...summary, best_loss: null } }, 'lr')).toContain(
      'all 2 runs diverged',
    );
  });
});

describe('the chart of all curves', () => {
  const view = { smoothing: 0, logScale: false, compared: 'all' as const, comparedLr: null };

  /** Losses of 2 over 10,000 steps, but for one. */
  function spiky(spike: number): ExperimentMetrics {
    const metrics = new ExperimentMetrics(1, 10_000);
    for (let step = 1; step <= 10_000; step += 1) metrics.runs[0]?.losses.push(step === spike ? 30 : 2);
    return metrics;
  }

  test('shows the spike of a run that trains now, and its last step', () => {
    const points = [{ method: 'adamw', value: 0.1, lr: 0.1 } as never];
    const { steps, curves } = curvesState(null, { points, metrics: spiky(4321) }, view);
    expect(curves[0]?.values[steps.indexOf(4321)]).toBe(30);
    expect(steps.at(-1)).toBe(10_000);
  });

  test('shows those of many runs, with few enough steps to be drawn', () => {
    const results = Array.from({ length: 200 }, (_, index) => ({
      method: 'adamw',
      value: index,
      lr: index,
      divergedAt: null,
      curve: thin(spiky(40 * index + 7).runs[0]?.losses ?? []),
    }));
    const record = { basis: { quantity: 'lr', session: { steps: 10_000 } }, results };
    const { steps, curves } = curvesState(record as unknown as SweepRecord, null, view);
    expect(curves).toHaveLength(200);
    expect(steps.length).toBeLessThanOrEqual(12_000);
    for (const [index, { values }] of curves.entries()) {
      expect(values[steps.indexOf(40 * index + 7)], `run ${index}`).toBe(30);
    }
  });

  test('shows the runs of one value, or the best of each method; a method that diverged everywhere shows that', () => {
    const run = (method: string, value: number, loss: number | null) => ({
      method,
      value,
      lr: value,
      validationLoss: loss,
      divergedAt: loss === null ? 3 : null,
      curve: thin([5, loss ?? 9]),
    });
    const results = [
      run('sgd', 0.1, 3),
      run('sgd', 1, 4),
      run('adamw', 0.1, null),
      run('adamw', 1, 2),
      run('muon', 0.1, null),
    ];
    const record = { basis: { quantity: 'lr', session: { steps: 2 } }, results } as unknown as SweepRecord;
    const ends = (compared: 'all' | 'rate' | 'best', comparedLr: number | null) =>
      curvesState(record, null, { ...view, compared, comparedLr }).curves.map(({ values }) => values.at(-1));
    expect(ends('all', null)).toHaveLength(5);
    expect(ends('rate', 1)).toEqual([4, 2]);
    expect(ends('rate', 0.5)).toEqual([4, 2]);
    expect(ends('best', null)).toEqual([3, 2, 9]);
  });
});

test('a sweep from before there was rsLoRA is found again', () => {
  const { session, data } = defaultConfig();
  const basis = (session: SweepBasis['session']): SweepBasis => ({
    quantity: 'lr',
    model: { name: 'tiny', parameters: 1 },
    data: { name: 'text', bytes: 1, settings: data },
    session,
    start: null,
  });
  const { use_rslora: _, ...before } = session;
  expect(keyOf(basis(session))).toBe(keyOf(basis(before as SweepBasis['session'])));
  expect(keyOf(basis({ ...session, use_rslora: true }))).not.toBe(keyOf(basis(session)));
});
