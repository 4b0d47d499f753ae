import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { goOnWithKept } from '../src/keep/go-on';
import { Keeper } from '../src/keep/keeper';
import { KeptTrainings, MOST_KEPT } from '../src/keep/kept-trainings';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { type KeptText, keepText } from '../src/language/keeping';
import { ExperimentMetrics } from '../src/metrics/experiment-metrics';
import { layerQuantities } from '../src/metrics/layer-track';
import { packMetrics, unpackMetrics } from '../src/metrics/packed';
import { quantities } from '../src/metrics/quantities';
import type { RunReport, StepReport } from '../src/protocol';
import { success } from '../src/result';
import { Signal } from '../src/signal';
import { Vault } from '../src/store/vault';
import { FakeBrowser, type FakeTab } from './fake-browser';
import { FakeFolder } from './fake-folder';
import { diagnosticsOf, FakeWorker, lossOf } from './fake-worker';
import { until } from './until';

const seconds = { forward: 1, backward: 1, precondition: 0, update: 0, total: 2 };

function report(step: number, losses: (number | null)[]): StepReport {
  const runs = losses.map((loss): RunReport => {
    const diagnostics = loss === null ? null : diagnosticsOf(step);
    return { loss, grad_norm: loss, lr: step / 10, diverged_at: loss === null ? 3 : null, diagnostics };
  });
  return { step, runs, tokens: 1, counted_tokens: 1, seconds, memory_bytes: 1 };
}

describe('packed curves', () => {
  const measured = () => {
    const metrics = new ExperimentMetrics(2, 9);
    for (let step = 1; step <= 4; step += 1) {
      metrics.recordStep([0, 1], report(step, [1 / step + 1e-15, step < 3 ? 0.1 : null]), step, 1);
      metrics.recordEvaluation([0, 1], { step, losses: [step, step < 3 ? step : null], seconds: 1 });
    }
    return metrics;
  };

  test('come back to the bit', () => {
    const before = measured();
    const after = unpackMetrics(packMetrics(before, () => 4));
    expect(after?.steps).toBe(9);
    for (const [index, run] of before.runs.entries()) {
      const other = after?.runs[index];
      expect(other?.losses).toEqual(run.losses);
      expect(other?.validation).toEqual(run.validation);
      expect(other?.divergedAt).toBe(run.divergedAt);
      expect(other?.lr).toBeCloseTo(run.lr, 6);
      for (const quantity of quantities)
        expect(other?.track(quantity).upTo(5)).toEqual(run.track(quantity).upTo(5));
      expect(other?.layers.steps).toEqual(index === 0 ? [1, 2, 3, 4] : [1, 2]);
      for (const step of run.layers.steps) {
        for (const quantity of layerQuantities)
          expect(other?.layers.at(step, quantity)).toEqual(run.layers.at(step, quantity));
      }
    }
  });

  test('end at the checkpoint of their worker', () => {
    const after = unpackMetrics(packMetrics(measured(), (run) => (run === 0 ? 3 : 2)));
    expect(after?.runs[0]?.losses).toHaveLength(3);
    expect(after?.runs[0]?.validation.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(after?.runs[0]?.lr).toBeCloseTo(0.3, 6);
    expect(after?.runs[0]?.layers.steps).toEqual([1, 2, 3]);
    expect(after?.runs[1]?.losses).toHaveLength(2);
    // It diverged later, and will again.
    expect(after?.runs[1]?.divergedAt).toBeNull();
  });

  test('that are too short are refused', () => {
    const packed = packMetrics(measured(), () => 4);
    expect(unpackMetrics({ ...packed, bytes: packed.bytes.slice(8) })).toBeNull();
  });
});

const files = [new File(['weights'], 'model.safetensors'), new File(['{}'], 'config.json')];

let folder: FakeFolder;
let browser: FakeBrowser;

/** A page over what the folder has, in a tab of its own, with `cores` fake workers. */
async function open(
  cores: number,
  edit: (worker: FakeWorker) => void = () => {},
  vault = true,
  tab: FakeTab = browser.open(),
) {
  const lab = new Lab(() => new FakeWorker(edit), { cores, memory: 0 });
  const config = defaultConfig();
  config.session.steps = 12;
  config.checkpointEvery = 3;
  config.sampleAround = false;
  config.runs.forEach((run, index) => {
    run.optimizer.lr = (index + 1) / 10;
  });
  const app = new App(lab, new Signal<Config>(config));
  const files = Promise.resolve(vault ? new Vault<KeptText>(folder) : null);
  const all = new KeptTrainings<KeptText>('texts', files, tab);
  const keeper = new Keeper(keepText(app), all);
  await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
  return { lab, app, keeper, all, tab };
}

type Page = Awaited<ReturnType<typeof open>>;

async function load({ lab, app }: Page): Promise<void> {
  await lab.loadModel(files);
  await app.readData({ name: 'pairs.txt', blob: new Blob(['a||b']) });
}

/** The first training of the list. */
const offerOf = ({ all }: Page) => all.offers.value[0];
const stepOf = (page: Page) => offerOf(page)?.content.step;
const busyOf = ({ all }: Page) => all.offers.value.map(({ content, busy }) => [content.step, busy] as const);

/** Trains to `step`, pauses, and waits until that is kept. */
async function trainTo(page: Page, step: number): Promise<void> {
  void page.app.start(true);
  for (let done = 1; done < step; done += 1) {
    await until(() => page.lab.phase.value === 'paused');
    page.lab.stepOnce();
  }
  await until(() => page.lab.phase.value === 'paused');
  page.keeper.hurry();
  await until(() => stepOf(page) === step);
}

/** Steps once more, whatever comes of it. */
async function stepOnce({ lab, keeper }: Page): Promise<void> {
  lab.stepOnce();
  await until(() => lab.phase.value === 'paused');
  keeper.hurry();
}

const goOn = (page: Page, given: File[] = [], id = offerOf(page)?.id ?? '') =>
  goOnWithKept(page.keeper, id, given, () => {}, new AbortController().signal);

beforeEach(() => {
  FakeWorker.all = [];
  folder = new FakeFolder();
  browser = new FakeBrowser();
});

/** The tab is left: what is kept stays, and whoever comes next may have it. */
async function leave(page: Page): Promise<void> {
  page.tab.close();
  FakeWorker.all = [];
}

describe('a kept training', () => {
  test('goes on elsewhere with its curves, its files and its split of runs', async () => {
    const first = await open(2);
    await load(first);
    await trainTo(first, 5);
    await leave(first);
    // One core now, and two workers still: each has its runs.
    const second = await open(1);
    await second.all.look();
    expect(offerOf(second)?.content).toMatchObject({ step: 5, steps: 12, data: { name: 'pairs.txt' } });
    expect(second.app.metrics.value).toBeNull();
    expect(await goOn(second)).toEqual(success(null));
    await until(() => second.lab.phase.value === 'finished');
    expect(FakeWorker.all.map(({ asked }) => asked.filter((what) => what.startsWith('restore')))).toEqual([
      ['restore 5'],
      ['restore 5'],
    ]);
    for (const run of [0, 1]) {
      const losses = second.app.metrics.value?.runs[run]?.losses ?? [];
      expect(losses).toEqual(Array.from({ length: 12 }, (_, index) => lossOf((run + 1) / 10, index + 1)));
    }
    expect(second.app.config.value.session.steps).toBe(12);
    await until(() => stepOf(second) === 12);
    expect(second.all.offers.value).toHaveLength(1);
  });

  test('is measured on its own file again, where it had one', async () => {
    const first = await open(1);
    await load(first);
    const address = (name: string) => [`https://hub.example/${name}`];
    const source = { name: 'pairs.txt', blob: new Blob(['a||b']), addresses: address('pairs.txt') };
    await first.app.chooseData(source);
    const held = { name: 'valid.txt', blob: new Blob(['held out']), addresses: address('valid.txt') };
    await first.app.chooseValidation(held);
    expect(FakeWorker.all[0]?.asked.filter((what) => what.startsWith('data'))).toEqual([
      'data pairs.txt',
      'data pairs.txt',
      'data pairs.txt and valid.txt',
    ]);
    await trainTo(first, 2);
    await leave(first);
    const second = await open(1);
    await second.all.look();
    expect(await goOn(second)).toEqual(success(null));
    expect(FakeWorker.all[0]?.asked).toContain('data pairs.txt and valid.txt');
    expect(second.app.validationSource.value?.name).toBe('valid.txt');
    // What the script of the training downloads them from.
    expect(second.app.validationSource.value?.addresses).toEqual(address('valid.txt'));
    expect(second.app.dataSource.value?.addresses).toEqual(address('pairs.txt'));
    expect(await second.app.validationSource.value?.blob.text()).toBe('held out');
    await until(() => second.lab.phase.value === 'finished');
    await second.app.chooseValidation(null);
    expect(FakeWorker.all[0]?.asked.at(-1)).toBe('data pairs.txt');
  });

  test('that finished comes back as it was', async () => {
    const first = await open(2);
    await load(first);
    await first.app.start();
    await until(() => stepOf(first) === 12);
    await leave(first);
    const second = await open(2);
    await second.all.look();
    expect(await goOn(second)).toEqual(success(null));
    await until(() => second.lab.phase.value === 'finished');
    expect(second.app.metrics.value?.runs[0]?.losses).toEqual(first.app.metrics.value?.runs[0]?.losses);
  });

  test.each([
    ['paused', (page: Page) => page.lab.pause()],
    ['stopped', (page: Page) => page.lab.stop()],
    ['hidden', (page: Page) => page.keeper.hurry()],
  ])('is there when it was %s before its first checkpoint, in the middle of a step', async (_, act) => {
    const page = await open(2);
    page.app.change((config) => {
      config.checkpointEvery = 100;
    });
    await load(page);
    void page.app.start();
    await until(() => page.app.metrics.value?.step === 4);
    const seen = new Promise<number>((resolve) => {
      page.all.offers.subscribe(([one]) => one && resolve(one.content.step));
    });
    act(page);
    const step = await seen;
    expect(step).toBeGreaterThanOrEqual(4);
    expect(step).toBeLessThan(12);
    page.lab.stop();
    await leave(page);
    const next = await open(2);
    await next.all.look();
    expect(await goOn(next)).toEqual(success(null));
    await until(() => next.lab.phase.value === 'finished');
    expect(next.app.metrics.value?.runs[1]?.losses).toEqual(
      Array.from({ length: 12 }, (_, index) => lossOf(0.2, index + 1)),
    );
  });

  test('class_29 without room for the model asks for its files, and for the same ones', async () => {
    folder.quota = 9000;
    const big = [new File(['w'.repeat(10_000)], 'model.safetensors')];
    const first = await open(2);
    await first.lab.loadModel(big);
    await first.app.readData({ name: 'pairs.txt', blob: new Blob(['a||b']) });
    await trainTo(first, 3);
    expect(first.keeper.trouble.value).toContain('no room');
    await leave(first);

    const second = await open(2);
    await second.all.look();
    const offer = offerOf(second);
    expect(offer !== undefined && second.keeper.keeping.asksForModel(offer)).toBe(true);
    expect(await goOn(second)).toMatchObject({ ok: false, failure: { message: /model\.safetensors/ } });
    const other = [new File(['x'.repeat(10_000)], 'model.safetensors')];
    expect(await goOn(second, other)).toMatchObject({ ok: false, failure: { message: /not the files/ } });
    expect((await goOn(second, [new File(['w'.repeat(10_000)], 'model.safetensors')])).ok).toBe(true);
    await until(() => second.lab.phase.value === 'finished');
  });

  test('class_29 that finds no room at all is said, and the training goes on', async () => {
    folder.quota = 10;
    const page = await open(2);
    await load(page);
    await page.app.start();
    expect(page.lab.phase.value).toBe('finished');
    await until(() => page.keeper.trouble.value !== '');
    expect(page.keeper.trouble.value).toMatch(/full.*Storage/);
    expect(page.all.offers.value).toEqual([]);
  });

  test('class_29 in a browser without files is none, and that is said', async () => {
    const page = await open(2, undefined, false);
    await load(page);
    await page.all.look();
    await page.app.start();
    await until(() => page.keeper.trouble.value !== '');
    expect(page.keeper.trouble.value).toContain('keeps no files');
  });

  test('whose newest copy was written in half goes on from the one before', async () => {
    const first = await open(2);
    await load(first);
    await trainTo(first, 3);
    folder.diesAt = /^manifest/;
    await stepOnce(first);
    await until(() => first.keeper.trouble.value !== '');
    await leave(first);
    folder = folder.inNextTab();
    const second = await open(2);
    await second.all.look();
    expect(offerOf(second)).toMatchObject({ fallback: true, content: { step: 3 } });
    expect(await goOn(second)).toEqual(success(null));
    await until(() => second.lab.phase.value === 'finished');
    expect(second.app.metrics.value?.runs[1]?.losses.at(-1)).toBe(lossOf(0.2, 12));
  });

  test('is gone when discarded, and nothing of it comes back', async () => {
    const page = await open(2);
    await load(page);
    await trainTo(page, 3);
    page.lab.stop();
    await page.keeper.now();
    const id = offerOf(page)?.id ?? '';
    expect(await page.all.discard(id)).toEqual({ ok: true, value: null });
    expect(folder.files.size).toBe(0);
    expect(page.all.offers.value).toEqual([]);
    await page.keeper.now();
    expect(folder.files.size).toBe(0);
    expect(browser.held).toEqual([]);
  });

  test('that is freed while it goes on is kept again at its next checkpoint', async () => {
    const page = await open(2);
    await load(page);
    await trainTo(page, 3);
    expect((await page.all.discardAll()).ok).toBe(true);
    expect(page.all.offers.value).toEqual([]);
    await stepOnce(page);
    await until(() => stepOf(page) === 4);
  });

  test('is none where checkpoints are off', async () => {
    const page = await open(2);
    page.app.change((config) => {
      config.checkpointEvery = 0;
    });
    await load(page);
    await page.app.start();
    page.keeper.hurry();
    await page.keeper.now();
    expect(folder.files.size).toBe(0);
    expect(page.keeper.trouble.value).toBe('');
  });
});

describe('a storage that refuses', () => {
  const losses = (page: Page) => page.app.metrics.value?.runs.map((run) => run.losses);

  /** A training that is kept after each step; `between` is done in its middle. */
  async function train(page: Page, between: () => void = () => {}): Promise<void> {
    await load(page);
    void page.app.start(true);
    for (let step = 1; step < 12; step += 1) {
      await until(() => page.lab.phase.value === 'paused');
      if (step === 6) between();
      page.keeper.hurry();
      await until(() => stepOf(page) === step || page.keeper.trouble.value !== '');
      page.lab.stepOnce();
    }
    await until(() => page.lab.phase.value === 'finished');
  }

  test('at any write costs what is kept, and not the training', async () => {
    const free = await open(2);
    await train(free);
    const expected = losses(free);
    await until(() => stepOf(free) === 12);
    // All that the first time writes, and some times after it; the others are like these.
    const writes = 16;
    expect(folder.written.length).toBeGreaterThan(2 * writes);
    for (let allowed = 0; allowed < writes; allowed += 1) {
      folder = new FakeFolder();
      folder.writesLeft = allowed;
      browser = new FakeBrowser();
      FakeWorker.all = [];
      const page = await open(2);
      await train(page);
      expect(losses(page), `after ${allowed} writes`).toEqual(expected);
      await until(() => page.keeper.trouble.value !== '');
      expect(page.keeper.trouble.value).toMatch(/checkpoints are not kept|have no room/);
      await leave(page);
      // What is there is whole.
      const next = await open(2);
      await next.all.look();
      const offer = offerOf(next);
      if (offer === undefined) continue;
      expect(await next.all.claim(offer.id)).toMatchObject({ ok: true });
    }
  }, 120_000);

  test('and has room again keeps the training again', async () => {
    folder.writesLeft = 9;
    const page = await open(2);
    await train(page, () => {
      expect(page.keeper.trouble.value).not.toBe('');
      folder.writesLeft = Number.POSITIVE_INFINITY;
    });
    await until(() => stepOf(page) === 12);
    // The model made room for the checkpoints, and is not written again and again.
    expect(page.keeper.trouble.value).not.toContain('checkpoints are not kept');
  });

  test('or was emptied in the middle is filled again', async () => {
    const page = await open(2);
    await train(page, () => folder.evict());
    await until(() => stepOf(page) === 12);
    await leave(page);
    const next = await open(2);
    await next.all.look();
    expect(await goOn(next)).toEqual(success(null));
    expect(losses(next)).toEqual(losses(page));
  });
});

describe('two tabs', () => {
  test('class_29 keep a training each, and see what the other has, which goes on in its own tab alone', async () => {
    const [here, there] = [await open(2), await open(2)];
    await Promise.all([load(here), load(there)]);
    await trainTo(here, 3);
    await vi.waitFor(() => expect(busyOf(there)).toEqual([[3, true]]));
    await trainTo(there, 6);
    await vi.waitFor(() =>
      expect(busyOf(here)).toEqual([
        [6, true],
        [3, false],
      ]),
    );
    // The first goes on, and what the second has is untouched.
    await stepOnce(here);
    await vi.waitFor(() =>
      expect(busyOf(there)).toEqual([
        [6, false],
        [4, true],
      ]),
    );
    const [, theirs] = there.all.offers.value;
    there.lab.stop();
    expect(await goOn(there, [], theirs?.id)).toMatchObject({
      ok: false,
      failure: { message: /Another tab/ },
    });
    expect(await there.all.discard(theirs?.id ?? '')).toMatchObject({
      ok: false,
      failure: { message: /Another tab/ },
    });
    expect(busyOf(here).map(([step]) => step)).toEqual([6, 4]);
  });

  test('when one is gone, the other may go on with what it had', async () => {
    const [here, there] = [await open(2), await open(2)];
    await load(here);
    await trainTo(here, 5);
    await until(() => busyOf(there).some(([, busy]) => busy));
    await leave(here);
    await until(() => busyOf(there).every(([, busy]) => !busy));
    expect((await goOn(there)).ok).toBe(true);
    await until(() => there.lab.phase.value === 'finished');
    expect(there.app.metrics.value?.runs[0]?.losses.at(-1)).toBe(lossOf(0.1, 12));
  });

  test('class_29 of two that go on with the same training at once, one does', async () => {
    const first = await open(2);
    await load(first);
    await trainTo(first, 5);
    await leave(first);
    const [here, there] = [await open(2), await open(2)];
    await Promise.all([here.all.look(), there.all.look()]);
    const answers = await Promise.all([goOn(here), goOn(there)]);
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test('the next training of a tab gives the one before back', async () => {
    const [here, there] = [await open(2), await open(2)];
    await load(here);
    await trainTo(here, 3);
    await until(() => busyOf(there).length === 1);
    here.lab.stop();
    await trainTo(here, 4);
    await vi.waitFor(() =>
      expect(busyOf(there)).toEqual([
        [4, true],
        [3, false],
      ]),
    );
  });

  test('more than are kept push out the oldest that no tab has, and say so', async () => {
    const busy = await open(2);
    await load(busy);
    await trainTo(busy, 1);
    const page = await open(2);
    await load(page);
    for (let step = 2; step <= MOST_KEPT + 1; step += 1) {
      await trainTo(page, step);
      if (step <= MOST_KEPT) expect(page.keeper.notice.value).toBe('');
      page.lab.stop();
    }
    await until(() => page.keeper.notice.value !== '');
    expect(page.keeper.notice.value).toContain(`Only the newest ${MOST_KEPT} trainings are kept`);
    expect(busyOf(page).map(([step]) => step)).toEqual([6, 5, 4, 3, 1]);
  });
});
