import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../src/config/config';
import { sessionSettings } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import type { EngineChoice } from '../src/engine/engine-choice';
import { Exporter } from '../src/lab/exporting';
import { Lab, type LabPhase } from '../src/lab/lab';
import type { TrainingPlan } from '../src/lab/training';
import { App } from '../src/language/app';
import type { SampleSettings } from '../src/protocol';
import { Signal } from '../src/signal';
import { FakeWorker, lossOf } from './fake-worker';

const source = { name: 'pairs.txt', blob: new Blob(['a||b']) };
const other = { name: 'other.txt', blob: new Blob(['c||d']) };
const files = [new File(['x'], 'model.gguf')];
const others = [new File(['y'], 'other.gguf')];
const sampleSettings: SampleSettings = { ...defaultConfig().sample, prompt: 'a', include_base: true };
const cpu: EngineChoice = { engine: 'cpu', reason: 'a test', gpuUsable: true };
const webgpu: EngineChoice = { engine: 'webgpu', reason: 'a test', gpuUsable: true };

function plan(steps = 6, lrs = [0.1, 0.2], every = { validationEvery: 3, checkpointEvery: 2 }): TrainingPlan {
  const settings = sessionSettings(defaultConfig());
  const [template] = settings.runs;
  if (template === undefined) throw new Error('the defaults have runs');
  const runs = lrs.map((lr) => ({ ...template, optimizer: { ...template.optimizer, lr } }));
  return { settings: { ...settings, steps, runs }, ...every };
}

const until = async (holds: () => boolean, what = 'it') => {
  for (let turn = 0; !holds(); turn += 1) {
    if (turn > 3000) throw new Error(`${what} never holds`);
    await new Promise((resolve) => setTimeout(resolve));
  }
};
const someTurns = async (turns = 20) => {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setTimeout(resolve));
};

/** A lab over fakes with model and data, and what it told. */
async function open(
  edit: (worker: FakeWorker, index: number) => void = () => {},
  choice = cpu,
  patience = 20,
) {
  let spawned = 0;
  const lab = new Lab(
    () =>
      new FakeWorker((worker) => {
        edit(worker, spawned);
        spawned += 1;
      }),
    { cores: 2, memory: 0 },
    { patience },
  );
  const losses = new Map<string, number | null>();
  const evaluated: string[] = [];
  const phases: LabPhase[] = [];
  lab.phase.subscribe((phase) => phases.push(phase));
  await lab.useEngine(choice);
  await lab.loadModel(files);
  await lab.loadData(source, defaultConfig().data);
  const start = (what: TrainingPlan, singleStep = false) =>
    lab.start(
      what,
      {
        onStep: ({ runs }, report) => {
          for (const [index, run] of report.runs.entries())
            losses.set(`${runs[index]}@${report.step}`, run.loss);
        },
        onEvaluation: ({ runs }, { step }) => evaluated.push(`${runs} ${step}`),
        onReady: async () => {},
      },
      singleStep,
    );
  return { lab, losses, evaluated, phases, start };
}

/** The page around it. */
async function openApp(edit: (worker: FakeWorker, index: number) => void = () => {}) {
  let spawned = 0;
  const lab = new Lab(
    () =>
      new FakeWorker((worker) => {
        edit(worker, spawned);
        spawned += 1;
      }),
    { cores: 2, memory: 0 },
  );
  const config = defaultConfig();
  config.session.steps = 4;
  config.checkpointEvery = 2;
  config.sampleAround = false;
  const app = new App(lab, new Signal<Config>(config));
  await lab.useEngine(cpu);
  await lab.loadModel(files);
  await app.readData(source);
  return { lab, app };
}

beforeEach(() => {
  FakeWorker.all = [];
  // Raw words of what was lost go there.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

describe('a fresh worker is given everything before it is asked', () => {
  test('after an idle worker has crashed, Start trains', async () => {
    const { lab, losses, start } = await open();
    FakeWorker.all[0]?.crash();
    await start(plan(4));
    expect(lab.failure.value).toBeNull();
    expect(lab.phase.value).toBe('finished');
    expect(losses.get('1@4')).toBe(lossOf(0.2, 4));
  });

  test('after a training ended early, Start trains', async () => {
    let broken = true;
    const { lab, start } = await open((worker) => {
      if (broken) worker.diesAt = 2;
    });
    await start(plan(4));
    expect(lab.phase.value).toBe('failed');
    broken = false;
    for (const worker of FakeWorker.all) worker.diesAt = 0;
    await start(plan(4));
    expect(lab.failure.value).toBeNull();
    expect(lab.phase.value).toBe('finished');
  });

  test('the estimate is the same before and after a crash', async () => {
    const { lab } = await open();
    const before = await lab.estimate(plan().settings);
    FakeWorker.all[0]?.crash();
    expect(await lab.estimate(plan().settings)).toEqual(before);
    expect(before.ok).toBe(true);
  });

  test('a GPU that went away while nothing was done is no failure of the next question', async () => {
    const { lab, start } = await open(undefined, webgpu);
    await FakeWorker.all[0]?.api.loseDevice();
    expect((await lab.estimate(plan().settings)).ok).toBe(true);
    await FakeWorker.all.at(-1)?.api.loseDevice();
    expect((await lab.sample(sampleSettings, () => {})).ok).toBe(true);
    await start(plan(2));
    expect(lab.phase.value).toBe('finished');
  });
});

describe('what is cancelled is named', () => {
  test('"Stop writing" cancels no validation', async () => {
    const { lab, evaluated, start } = await open((worker) => {
      worker.holds.add('evaluate');
    });
    const training = start(plan(4, [0.1, 0.2]));
    await until(() => FakeWorker.all.every((worker) => worker.isHeldAt('evaluate')), 'the validation');
    const writing = lab.sample(sampleSettings, () => {});
    lab.cancelSampling();
    for (const worker of FakeWorker.all) worker.let('evaluate');
    await Promise.all([training, writing]);
    expect(lab.failure.value).toBeNull();
    expect(lab.phase.value).toBe('finished');
    expect([...evaluated].sort()).toEqual(['0 0', '0 3', '0 4', '1 0', '1 3', '1 4']);
  });

  test('and what is stopped while it writes keeps what it wrote', async () => {
    const { lab, start } = await open();
    await start(plan(2));
    const pieces: number[] = [];
    const answer = await lab.sample(sampleSettings, ({ tokens }) => {
      pieces.push(tokens);
      lab.cancelSampling();
    });
    expect(answer.ok).toBe(true);
    expect(pieces.every((tokens) => tokens === 1)).toBe(true);
  });

  test('another model that is loaded right after a load was cancelled is not killed', async () => {
    const { lab } = await open();
    FakeWorker.all[0]?.holds.add('loadModel');
    const first = lab.loadModel(others);
    await until(() => FakeWorker.all[0]?.isHeldAt('loadModel') ?? false, 'the load');
    lab.cancelLoading();
    const second = lab.loadModel(files);
    FakeWorker.all[0]?.let('loadModel');
    expect((await first).ok).toBe(false);
    FakeWorker.all[0]?.holds.add('loadModel');
    await until(() => FakeWorker.all[0]?.isHeldAt('loadModel') ?? false, 'the second load');
    // Longer than the patience with the first.
    await new Promise((resolve) => setTimeout(resolve, 60));
    FakeWorker.all[0]?.let('loadModel');
    expect(await second).toMatchObject({ ok: true, value: { name: 'model.gguf' } });
    expect(FakeWorker.all).toHaveLength(1);
    expect(lab.model.value).toMatchObject({ status: 'ready', value: { name: 'model.gguf' } });
  });

  test('a load that does not listen costs its worker, and nothing else', async () => {
    const { lab } = await open();
    FakeWorker.all[0]?.spoils.set('loadModel', 'hangs');
    const first = lab.loadModel(others);
    await someTurns(5);
    lab.cancelLoading();
    expect((await lab.loadModel(files)).ok).toBe(true);
    expect((await first).ok).toBe(false);
    expect(FakeWorker.all[0]?.terminated).toBe(true);
    expect(lab.data.value.status).toBe('ready');
  });

  test('a cancelled load says so, and a late answer of it changes nothing', async () => {
    const { lab } = await open();
    FakeWorker.all[0]?.holds.add('loadModel');
    const loading = lab.loadModel(others);
    await someTurns(5);
    lab.cancelLoading();
    expect(lab.model.value).toMatchObject({ status: 'failed' });
    FakeWorker.all[0]?.let('loadModel');
    await loading;
    expect(lab.model.value).toMatchObject({ status: 'failed' });
  });
});

describe('a training keeps its model, its data and its engine', () => {
  test('a model that arrives meanwhile is refused with a way out', async () => {
    const { lab, losses, start } = await open();
    const training = start(plan(30));
    await until(() => losses.has('0@3'), 'step 3');
    const answer = await lab.loadModel(others);
    expect(answer).toMatchObject({ ok: false, failure: { place: 'model' } });
    expect(answer.ok ? '' : answer.failure.message).toContain('Stop');
    await training;
    expect(lab.phase.value).toBe('finished');
    expect(losses.get('0@30')).toBe(lossOf(0.1, 30));
    expect(lab.model.value).toMatchObject({ status: 'ready', value: { name: 'model.gguf' } });
  });

  test('and so is data', async () => {
    const { lab, losses, start } = await open();
    const training = start(plan(30));
    await until(() => losses.has('0@3'), 'step 3');
    expect(await lab.loadData(other, defaultConfig().data)).toMatchObject({
      ok: false,
      failure: { place: 'data' },
    });
    await training;
    expect(lab.phase.value).toBe('finished');
    expect(FakeWorker.all.flatMap(({ asked }) => asked)).not.toContain('data other.txt');
  });

  test('another engine waits for the next training', async () => {
    const { lab, losses, phases, start } = await open();
    const training = start(plan(30));
    await until(() => losses.has('0@3'), 'step 3');
    const switched = lab.useEngine(webgpu);
    await someTurns();
    expect(lab.choice.value.engine).toBe('cpu');
    await training;
    await switched;
    expect(phases).toEqual(['preparing', 'running', 'finished']);
    expect(losses.get('0@30')).toBe(lossOf(0.1, 30));
    const before = FakeWorker.all.length;
    await start(plan(3));
    expect(lab.phase.value).toBe('finished');
    expect(lab.choice.value.engine).toBe('webgpu');
    expect(FakeWorker.all[before]?.asked[0]).toBe('start webgpu');
  });

  test('and one that is wished for and taken back is none', async () => {
    const { lab, losses, start } = await open();
    const training = start(plan(20));
    await until(() => losses.has('0@3'), 'step 3');
    void lab.useEngine(webgpu);
    void lab.useEngine(cpu);
    await training;
    const before = FakeWorker.all.length;
    await start(plan(2));
    expect(FakeWorker.all).toHaveLength(before);
  });

  test('trained adapters outlive a change of the engine', async () => {
    const { lab, start } = await open();
    await start(plan(4));
    await lab.useEngine(webgpu);
    expect(lab.phase.value).toBe('finished');
    const pieces: (number | null)[] = [];
    await lab.sample(sampleSettings, ({ run, done }) => done && pieces.push(run));
    expect(pieces.sort()).toEqual([0, 1, null]);
    expect(FakeWorker.all.flatMap(({ asked }) => asked)).toContain('restore 4');
  });
});

describe('what arrives while a training goes on', () => {
  test('is offered, and taken when the training was stopped for it', async () => {
    const { app, lab } = await openApp();
    app.change(({ session }) => Object.assign(session, { steps: 500 }));
    const training = app.start();
    await until(() => (app.metrics.value?.step ?? 0) > 2, 'step 3');
    app.loadModel(others, 'Other');
    expect(app.arrival.value).toMatchObject({ place: 'model', name: 'Other' });
    expect(lab.phase.value).toBe('running');
    lab.stop();
    app.arrival.value?.use();
    await training;
    await until(() => lab.data.value.status === 'ready', 'the data');
    expect(lab.model.value).toMatchObject({ status: 'ready', value: { name: 'other.gguf' } });
    expect(app.arrival.value).toBeNull();
    expect(app.metrics.value).toBeNull();
  });

  test('as data leaves what is shown as it is', async () => {
    const { app, lab } = await openApp();
    app.change(({ session }) => Object.assign(session, { steps: 30 }));
    const training = app.start();
    await until(() => (app.metrics.value?.step ?? 0) > 2, 'step 3');
    expect(await app.readData(other)).toBe(false);
    expect(app.dataSource.value).toBe(source);
    expect(app.arrival.value).toMatchObject({ place: 'data', name: 'other.txt' });
    await training;
    expect(lab.phase.value).toBe('finished');
    app.arrival.value?.use();
    await until(() => app.dataSource.value === other, 'the other data');
    expect(app.arrival.value).toBeNull();
  });
});

describe('a worker that is lost', () => {
  test.each(['tokenLosses', 'sample'] as const)('in %s while it trains is replaced', async (question) => {
    const { lab, losses, start } = await open();
    const training = start(plan(20));
    await until(() => losses.has('0@5'), 'step 5');
    FakeWorker.all[0]?.spoils.set(question, 'dies');
    const answer =
      question === 'sample'
        ? await lab.sample(sampleSettings, () => {})
        : await lab.tokenLosses({ text: 'abc', example: 0, include_base: true });
    expect(answer.ok).toBe(true);
    await training;
    expect(lab.failure.value).toBeNull();
    expect(lab.phase.value).toBe('finished');
    for (let step = 1; step <= 20; step += 1) expect(losses.get(`0@${step}`)).toBe(lossOf(0.1, step));
  });

  test('again and again by one question fails the question and not the training', async () => {
    let kill = false;
    const { lab, losses, start } = await open((worker) => {
      if (kill) worker.spoils.set('tokenLosses', 'dies');
    });
    const training = start(plan(20));
    await until(() => losses.has('0@5'), 'step 5');
    kill = true;
    FakeWorker.all[0]?.spoils.set('tokenLosses', 'dies');
    const answer = await lab.tokenLosses({ text: 'abc', example: 0, include_base: true });
    kill = false;
    expect(answer).toMatchObject({ ok: false, failure: { message: expect.stringContaining('memory') } });
    await training;
    expect(lab.phase.value).toBe('finished');
    expect(losses.get('0@20')).toBe(lossOf(0.1, 20));
  });

  test('is replaced once, whoever finds it', async () => {
    const { lab, start } = await open();
    const paused = start(plan(4), true);
    await until(() => lab.phase.value === 'paused', 'the pause');
    const before = FakeWorker.all.length;
    FakeWorker.all[0]?.crash();
    const questions = [
      lab.sample(sampleSettings, () => {}),
      lab.tokenLosses({ text: 'abc', example: 0, include_base: true }),
      lab.tokenLosses({ text: 'ab', example: 0, include_base: true }),
    ];
    lab.resume();
    expect((await Promise.all(questions)).map(({ ok }) => ok)).toEqual([true, true, true]);
    await paused;
    expect(lab.phase.value).toBe('finished');
    expect(FakeWorker.all).toHaveLength(before + 1);
    expect(Math.max(...lab.trainees.map(({ deaths }) => deaths))).toBeLessThanOrEqual(1);
  });

  test('in an export is replaced, and exports what was trained', async () => {
    const { lab, start } = await open();
    await start(plan(4));
    FakeWorker.all[0]?.spoils.set('exportAdapter', 'dies');
    const answer = await new Exporter(lab.desk).peft(0, 'base');
    expect(answer).toMatchObject({ ok: true, value: { weights: new Uint8Array([4]) } });
  });

  test('after the training, without a checkpoint, is said and not replaced by untrained adapters', async () => {
    const { lab, start } = await open();
    await start(plan(4, [0.1, 0.2], { validationEvery: 0, checkpointEvery: 0 }));
    FakeWorker.all[0]?.crash();
    const answer = await new Exporter(lab.desk).peft(0, 'base');
    expect(answer).toMatchObject({ ok: false, failure: { message: expect.stringContaining('Train') } });
  });

  test('while its first validation was measured is measured again', async () => {
    const { lab, evaluated, start } = await open((worker, index) => {
      if (index === 0) worker.spoils.set('evaluate', 'dies');
    });
    await start(plan(4));
    expect(lab.phase.value).toBe('finished');
    expect([...evaluated].sort()).toEqual(['0 0', '0 3', '0 4', '1 0', '1 3', '1 4']);
  });

  test('is told without raw words of the GPU’s library', async () => {
    const { lab, start } = await open(undefined, webgpu);
    const training = start(plan(6), true);
    await until(() => lab.phase.value === 'paused', 'the pause');
    await FakeWorker.all[0]?.api.loseDevice();
    lab.resume();
    await training;
    expect(lab.phase.value).toBe('finished');
    expect(lab.notice.value).toContain('device was lost');
    expect(lab.notice.value).not.toContain('Destroyed');
    expect(lab.notice.value).not.toContain('can resume from the last checkpoint');
  });
});

describe('a training that was stopped', () => {
  test.each(['loadModel', 'configure', 'restore'] as const)(
    'while it recovered, at %s, disturbs no later one',
    async (question) => {
      let hold = false;
      const { lab, losses, start } = await open((worker, index) => {
        if (index === 0) worker.diesAt = 4;
        if (hold) worker.holds.add(question);
      });
      const first = start(plan(9));
      await until(() => losses.has('1@1'), 'step 1');
      hold = true;
      await until(() => FakeWorker.all.some((worker) => worker.isHeldAt(question)), 'the recovery');
      hold = false;
      lab.stop();
      losses.clear();
      const second = start(plan(5, [0.3, 0.4]));
      await someTurns(5);
      for (const worker of FakeWorker.all) worker.let(question);
      await Promise.all([first, second]);
      expect(lab.failure.value).toBeNull();
      expect(lab.phase.value).toBe('finished');
      expect(losses.get('0@5')).toBe(lossOf(0.3, 5));
      expect([...losses.keys()].sort()).toEqual(
        [1, 2, 3, 4, 5].flatMap((step) => [`0@${step}`, `1@${step}`]).sort(),
      );
    },
  );

  test('while it was prepared leaves no work behind', async () => {
    const { lab, losses, start } = await open((worker, index) => {
      if (index === 1) worker.holds.add('loadModel');
    });
    const first = start(plan(9));
    await until(() => FakeWorker.all[1]?.isHeldAt('loadModel') ?? false, 'the second worker');
    lab.stop();
    expect(lab.phase.value).toBe('stopped');
    const second = start(plan(4, [0.3, 0.4]));
    await someTurns(5);
    FakeWorker.all[1]?.let('loadModel');
    await Promise.all([first, second]);
    expect(lab.phase.value).toBe('finished');
    expect(losses.get('1@4')).toBe(lossOf(0.4, 4));
  });
});

describe('the start of an engine', () => {
  const make = (edit: (worker: FakeWorker) => void = () => {}) =>
    new Lab(() => new FakeWorker(edit), { cores: 2, memory: 0 });

  test('is one, and a load waits for it', async () => {
    const lab = make((worker) => worker.holds.add('start'));
    const starting = lab.useEngine(webgpu);
    const loading = lab.loadModel(files);
    await until(() => FakeWorker.all[0]?.isHeldAt('start') ?? false, 'the start');
    expect(lab.model.value.status).toBe('loading');
    FakeWorker.all[0]?.let('start');
    expect((await starting).ok).toBe(true);
    expect((await loading).ok).toBe(true);
    expect(FakeWorker.all.flatMap(({ asked }) => asked)).toEqual(['start webgpu', 'model 1']);
  });

  test('is waited for by a load that is pressed before an adapter was found', async () => {
    const lab = make();
    const loading = lab.loadModel(files);
    await someTurns(5);
    expect(lab.model.value.status).toBe('loading');
    await lab.useEngine(webgpu);
    expect((await loading).ok).toBe(true);
    expect(FakeWorker.all.flatMap(({ asked }) => asked)).toEqual(['start webgpu', 'model 1']);
  });

  test('that is replaced by another takes the load along', async () => {
    const lab = make((worker) => worker.holds.add('start'));
    void lab.useEngine(webgpu);
    const loading = lab.loadModel(files);
    await until(() => FakeWorker.all[0]?.isHeldAt('start') ?? false, 'the start');
    const second = lab.useEngine(cpu);
    await until(() => FakeWorker.all[1]?.isHeldAt('start') ?? false, 'the second start');
    FakeWorker.all[1]?.let('start');
    await second;
    expect((await loading).ok).toBe(true);
    expect(lab.model.value.status).toBe('ready');
  });

  test('that is taken back at once is the one that was wished for last', async () => {
    const { lab } = await open();
    const [first, second] = await Promise.all([lab.useEngine(webgpu), lab.useEngine(cpu)]);
    expect([first, second]).toMatchObject([{ value: { engine: 'cpu' } }, { value: { engine: 'cpu' } }]);
    expect(lab.choice.value.engine).toBe('cpu');
    expect(lab.engineReport.value).toMatchObject({ status: 'ready', value: { engine: 'cpu' } });
    expect(lab.model.value.status).toBe('ready');
  });

  test('does not take the model from a training that begins while it goes on', async () => {
    const { lab, losses, start } = await open();
    const switched = lab.useEngine(webgpu);
    const training = start(plan(4));
    await Promise.all([switched, training]);
    expect(lab.phase.value).toBe('finished');
    expect(lab.model.value.status).toBe('ready');
    expect(losses.get('1@4')).toBe(lossOf(0.2, 4));
  });

  test('class_29 of WebGPU that fails is followed by the CPU, which says why', async () => {
    let first = true;
    const lab = make((worker) => {
      if (first) worker.refuses = { place: 'engine', field: null, message: 'no adapter' };
      first = false;
    });
    const loading = lab.loadModel(files);
    const answer = await lab.useEngine(webgpu);
    expect(answer).toMatchObject({ ok: true, value: { engine: 'cpu' } });
    expect(lab.choice.value.engine).toBe('cpu');
    expect(lab.choice.value.reason).toContain('no adapter');
    expect((await loading).ok).toBe(true);
  });

  test('while a model is loaded takes the load along', async () => {
    const { lab } = await open();
    FakeWorker.all[0]?.holds.add('loadModel');
    const loading = lab.loadModel(others);
    await until(() => FakeWorker.all[0]?.isHeldAt('loadModel') ?? false, 'the load');
    await lab.useEngine(webgpu);
    expect(await loading).toMatchObject({ ok: true, value: { name: 'other.gguf' } });
    expect(FakeWorker.all[1]?.asked).toEqual(['start webgpu', 'model 1', 'data pairs.txt']);
  });
});

describe('what is shown belongs to one experiment', () => {
  const shown = ({ app, lab }: Awaited<ReturnType<typeof openApp>>) => ({
    phase: lab.phase.value,
    metrics: app.metrics.value === null,
    runs: app.trainedRuns.value.length,
    samples: app.samples.groups.value.length,
    reading: app.tokenLosses.reading.value === null,
  });
  const nothing = { phase: 'idle', metrics: true, runs: 0, samples: 0, reading: true };

  test.each(['model', 'data'] as const)('another %s takes the old one away', async (what) => {
    const page = await openApp();
    const { app, lab } = page;
    await app.start();
    app.change(({ sample }) => Object.assign(sample, { prompt: 'a' }));
    await app.sample();
    await app.measureTokens('abc', 0);
    expect(shown(page)).toEqual({ phase: 'finished', metrics: false, runs: 2, samples: 1, reading: false });
    if (what === 'model') await lab.loadModel(others);
    else await app.readData(other);
    expect(shown(page)).toEqual(nothing);
  });

  test('and its adapters can still be exported', async () => {
    const { app, lab } = await openApp();
    await app.start();
    await lab.loadModel(others);
    await app.readData(other);
    const before = FakeWorker.all.length;
    const answer = await new Exporter(lab.desk).peft(1, 'base');
    expect(answer).toMatchObject({ ok: true, value: { weights: new Uint8Array([4]) } });
    const exporting = FakeWorker.all.slice(before);
    expect(exporting.map(({ asked }) => asked)).toEqual([
      ['start cpu', 'model 1', 'data pairs.txt', 'restore 4', 'export 0 of base'],
    ]);
    // It has a model of its own, which nobody needs any more.
    expect(exporting[0]?.terminated).toBe(true);
    expect(app.exportable.value?.runs.map(({ name }) => name)).toEqual(
      app.config.value.runs.map(({ name }) => name),
    );
  });

  test('a training that failed leaves with its model, too', async () => {
    const page = await openApp((worker) => {
      worker.diesAt = 2;
    });
    await page.app.start();
    expect(page.lab.phase.value).toBe('failed');
    await page.lab.loadModel(others);
    expect(shown(page)).toEqual(nothing);
  });

  test('a diverged run is said to write nothing', async () => {
    const { app } = await openApp();
    app.change((config) => {
      const [run] = config.runs;
      if (run !== undefined) run.optimizer.lr = 1000;
      config.sample.prompt = 'a';
    });
    await app.start();
    await app.sample();
    const [group] = app.samples.groups.value;
    expect(group?.answers.map(({ divergedAt }) => divergedAt)).toEqual([null, 3, null]);
  });
});
