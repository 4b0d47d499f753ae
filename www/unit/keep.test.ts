import { beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { Keeper } from '../src/keep/keeper';
import type { KeptTraining } from '../src/keep/kept-training';
import { asksForModel, resume } from '../src/keep/resume';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { ExperimentMetrics } from '../src/metrics/experiment-metrics';
import { packMetrics, unpackMetrics } from '../src/metrics/packed';
import { quantities } from '../src/metrics/quantities';
import type { RunReport, StepReport } from '../src/protocol';
import { Signal } from '../src/signal';
import { Vault } from '../src/store/vault';
import { FakeFolder } from './fake-folder';
import { diagnosticsOf, FakeWorker, lossOf } from './fake-worker';

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
    }
  });

  test('end at the checkpoint of their worker', () => {
    const after = unpackMetrics(packMetrics(measured(), (run) => (run === 0 ? 3 : 2)));
    expect(after?.runs[0]?.losses).toHaveLength(3);
    expect(after?.runs[0]?.validation.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(after?.runs[0]?.lr).toBeCloseTo(0.3, 6);
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
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
};

let folder: FakeFolder;

/** A page over what the folder has, with `cores` fake workers. */
async function open(cores: number, edit: (worker: FakeWorker) => void = () => {}, vault = true) {
  const lab = new Lab(() => new FakeWorker(edit), { cores, memory: 0 });
  const config = defaultConfig();
  config.session.steps = 12;
  config.checkpointEvery = 3;
  config.sampleAround = false;
  config.runs.forEach((run, index) => {
    run.optimizer.lr = (index + 1) / 10;
  });
  const app = new App(lab, new Signal<Config>(config));
  const keeper = new Keeper(app, Promise.resolve(vault ? new Vault<KeptTraining>(folder) : null));
  await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
  return { lab, app, keeper };
}

async function load({ lab, app }: Awaited<ReturnType<typeof open>>): Promise<void> {
  await lab.loadModel(files);
  await app.readData({ name: 'pairs.txt', blob: new Blob(['a||b']) });
}

/** Trains to `step`, pauses, and waits until that is kept. */
async function trainTo(page: Awaited<ReturnType<typeof open>>, step: number): Promise<void> {
  void page.app.start(true);
  for (let done = 1; done < step; done += 1) {
    await until(() => page.lab.phase.value === 'paused');
    page.lab.stepOnce();
  }
  await until(() => page.lab.phase.value === 'paused');
  page.keeper.hurry();
  await until(() => page.keeper.offer.value?.content.step === step);
}

const goOn = (page: Awaited<ReturnType<typeof open>>, given: File[] = []) =>
  resume(page.app, page.keeper, given, () => {}, new AbortController().signal);

beforeEach(() => {
  FakeWorker.all = [];
  folder = new FakeFolder();
});

describe('a kept training', () => {
  test('goes on elsewhere with its curves, its files and its split of runs', async () => {
    const first = await open(2);
    await load(first);
    await trainTo(first, 5);

    FakeWorker.all = [];
    // One core now, and two workers still: each has its runs.
    const second = await open(1);
    await second.keeper.look();
    expect(second.keeper.offer.value?.content).toMatchObject({
      step: 5,
      steps: 12,
      data: { name: 'pairs.txt' },
    });
    expect(second.app.metrics.value).toBeNull();
    expect(await goOn(second)).toEqual({ ok: true, value: null });
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
    await until(() => second.keeper.offer.value?.content.step === 12);
  });

  test('that finished comes back as it was', async () => {
    const first = await open(2);
    await load(first);
    await first.app.start();
    await until(() => first.keeper.offer.value?.content.step === 12);
    const second = await open(2);
    await second.keeper.look();
    expect((await goOn(second)).ok).toBe(true);
    await until(() => second.lab.phase.value === 'finished');
    expect(second.app.metrics.value?.runs[0]?.losses).toEqual(first.app.metrics.value?.runs[0]?.losses);
  });

  test('without room for the model asks for its files, and for the same ones', async () => {
    folder.quota = 9000;
    const big = [new File(['w'.repeat(10_000)], 'model.safetensors')];
    const first = await open(2);
    await first.lab.loadModel(big);
    await first.app.readData({ name: 'pairs.txt', blob: new Blob(['a||b']) });
    await trainTo(first, 3);
    expect(first.keeper.trouble.value).toContain('no room');

    const second = await open(2);
    await second.keeper.look();
    const offer = second.keeper.offer.value;
    expect(offer !== null && asksForModel(offer)).toBe(true);
    expect(await goOn(second)).toMatchObject({ ok: false, failure: { message: /model\.safetensors/ } });
    const other = [new File(['x'.repeat(10_000)], 'model.safetensors')];
    expect(await goOn(second, other)).toMatchObject({ ok: false, failure: { message: /not the files/ } });
    expect((await goOn(second, [new File(['w'.repeat(10_000)], 'model.safetensors')])).ok).toBe(true);
    await until(() => second.lab.phase.value === 'finished');
  });

  test('that finds no room at all is said, and the training goes on', async () => {
    folder.quota = 10;
    const page = await open(2);
    await load(page);
    await page.app.start();
    expect(page.lab.phase.value).toBe('finished');
    await until(() => page.keeper.trouble.value !== '');
    expect(page.keeper.trouble.value).toMatch(/full.*Storage/);
    expect(page.keeper.offer.value).toBeNull();
  });

  test('in a browser without files is none, and that is said', async () => {
    const page = await open(2, undefined, false);
    await load(page);
    await page.keeper.look();
    await page.app.start();
    await until(() => page.keeper.trouble.value !== '');
    expect(page.keeper.trouble.value).toContain('keeps no files');
  });

  test('whose newest copy was written in half goes on from the one before', async () => {
    const first = await open(2);
    await load(first);
    await trainTo(first, 3);
    folder.diesAt = /^manifest/;
    first.lab.stepOnce();
    await until(() => first.lab.phase.value === 'paused');
    first.keeper.hurry();
    await until(() => first.keeper.trouble.value !== '');
    folder.revive();
    const second = await open(2);
    await second.keeper.look();
    expect(second.keeper.offer.value).toMatchObject({ fallback: true, content: { step: 3 } });
    expect((await goOn(second)).ok).toBe(true);
    await until(() => second.lab.phase.value === 'finished');
    expect(second.app.metrics.value?.runs[1]?.losses.at(-1)).toBe(lossOf(0.2, 12));
  });

  test('is gone when discarded', async () => {
    const page = await open(2);
    await load(page);
    await trainTo(page, 3);
    await page.keeper.discard();
    expect(folder.files.size).toBe(0);
    expect(page.keeper.offer.value).toBeNull();
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
