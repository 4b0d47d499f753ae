import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sessionSettings } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { Lab, type LabPhase } from '../src/lab/lab';
import { lostWords } from '../src/lab/lost';
import type { TrainingPlan } from '../src/lab/training';
import type { EvaluationReport, RunDiagnostics, SamplePiece, SampleSettings } from '../src/protocol';
import { diagnosticsOf, FakeWorker, lossOf } from './fake-worker';

const source = { name: 'pairs.txt', blob: new Blob(['a||b']) };
const files = [new File(['x'], 'model.gguf')];
const sampleSettings: SampleSettings = { ...defaultConfig().sample, prompt: 'a', include_base: true };

function plan(steps = 6, lrs = [0.1, 0.2], every = { validationEvery: 3, checkpointEvery: 2 }): TrainingPlan {
  const settings = sessionSettings(defaultConfig());
  const [template] = settings.runs;
  if (template === undefined) throw new Error('the defaults have runs');
  const runs = lrs.map((lr) => ({ ...template, optimizer: { ...template.optimizer, lr } }));
  return { settings: { ...settings, steps, runs }, ...every };
}

/** A lab over fakes, with what it told. */
async function open(
  edit: (worker: FakeWorker, index: number) => void = () => {},
  engine: 'cpu' | 'webgpu' = 'cpu',
) {
  let spawned = 0;
  const lab = new Lab(
    () =>
      new FakeWorker((worker) => {
        edit(worker, spawned);
        spawned += 1;
      }),
    { cores: 2, memory: 0 },
  );
  const losses = new Map<string, number | null>();
  const measured = new Map<string, RunDiagnostics | null>();
  const evaluations: [number[], EvaluationReport][] = [];
  const phases: LabPhase[] = [];
  lab.phase.subscribe((phase) => phases.push(phase));
  await lab.useEngine({ engine, reason: '', gpuUsable: true });
  await lab.loadModel(files);
  await lab.loadData(source, defaultConfig().data);
  const start = (what: TrainingPlan, singleStep = false) =>
    lab.start(
      what,
      {
        onStep: ({ runs }, report) => {
          for (const [index, run] of report.runs.entries()) {
            losses.set(`${runs[index]}@${report.step}`, run.loss);
            measured.set(`${runs[index]}@${report.step}`, run.diagnostics);
          }
        },
        onEvaluation: ({ runs }, report) => evaluations.push([runs, report]),
        onReady: async () => {},
      },
      singleStep,
    );
  return { lab, losses, measured, evaluations, phases, start };
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
};

beforeEach(() => {
  FakeWorker.all = [];
  // Raw words of what was lost go there.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

describe('training', () => {
  test('spreads runs over workers and reports each under its own index', async () => {
    const { losses, evaluations, phases, start } = await open();
    await start(plan(4, [0.1, 0.2, 0.3]));
    expect(FakeWorker.all).toHaveLength(2);
    for (const [run, lr] of [0.1, 0.2, 0.3].entries()) expect(losses.get(`${run}@4`)).toBe(lossOf(lr, 4));
    expect(evaluations.map(([runs, { step }]) => `${runs} ${step}`).sort()).toEqual(
      ['0,2 0', '0,2 3', '0,2 4', '1 0', '1 3', '1 4'].sort(),
    );
    expect(phases).toEqual(['preparing', 'running', 'finished']);
  });

  test('class_29 a hidden tab, whose timers hardly run, trains as fast: nothing waits for one between steps', async () => {
    const callers: string[] = [];
    vi.stubGlobal('requestAnimationFrame', () => 0);
    vi.stubGlobal('setTimeout', (callback: () => void) => {
      // Who asks: the first file of the page or of its tests behind this one.
      const [caller = ''] =
        /\/(src|unit)\/(?!lab\.test)[\w/.-]+/.exec(new Error('a timer').stack ?? '') ?? [];
      callers.push(caller);
      return setImmediate(callback);
    });
    try {
      const { lab, start } = await open();
      await start(plan());
      expect(lab.phase.value).toBe('finished');
    } finally {
      vi.unstubAllGlobals();
    }
    // The fake worker's own ones, which take the place of its work.
    expect([...new Set(callers)]).toEqual(['/unit/fake-worker.ts']);
  });

  test('WebGPU holds all runs in one worker', async () => {
    const { start } = await open(undefined, 'webgpu');
    await start(plan());
    expect(FakeWorker.all).toHaveLength(1);
    expect(FakeWorker.all[0]?.asked[0]).toBe('start webgpu');
  });

  test('pauses with all runs at one step, steps once, and goes on', async () => {
    const { lab, losses, start } = await open();
    const over = start(plan(50));
    await until(() => losses.has('0@3'));
    lab.pause();
    await until(() => lab.phase.value === 'paused');
    const steps = lab.trainees.map(({ step }) => step);
    expect(new Set(steps).size).toBe(1);
    lab.stepOnce();
    await until(() => lab.phase.value === 'paused' && lab.trainees[0]?.step === (steps[0] ?? 0) + 1);
    lab.resume();
    await over;
    expect(lab.phase.value).toBe('finished');
    expect(losses.get('1@50')).toBe(lossOf(0.2, 50));
  });

  test('a single step pauses, and stop ends it', async () => {
    const { lab, losses, start } = await open();
    const over = start(plan(), true);
    await until(() => lab.phase.value === 'paused');
    expect(losses.size).toBe(2);
    lab.stop();
    await over;
    expect(lab.phase.value).toBe('stopped');
  });

  test('a worker whose runs all diverged stops, the others finish', async () => {
    const { losses, phases, start } = await open();
    await start(plan(8, [0.1, 1000]));
    expect(losses.has('1@4')).toBe(false);
    expect(losses.get('0@8')).toBe(lossOf(0.1, 8));
    expect(phases.at(-1)).toBe('finished');
  });

  test('refuses what does not fit, and says what to change', async () => {
    const { lab, start } = await open(undefined, 'webgpu');
    await start(plan(5, Array(20).fill(0.1)));
    expect(lab.phase.value).toBe('failed');
    expect(lab.failure.value?.message).toContain('smaller');
  });

  test('a refused setting is told under the page’s number of the run', async () => {
    const { lab, start } = await open((worker, index) => {
      if (index === 1) worker.refuses = { place: 'settings', field: 'runs.0.lr', message: 'no' };
    });
    await start(plan());
    expect(lab.failure.value).toEqual({ place: 'settings', field: 'runs.1.lr', message: 'no' });
  });
});

describe('a worker that dies', () => {
  test('class_29 is replaced, and goes on from its last checkpoint', async () => {
    const { lab, losses, start } = await open((worker, index) => {
      if (index === 0) worker.diesAt = 4;
    });
    await start(plan(7));
    expect(lab.phase.value).toBe('finished');
    expect(FakeWorker.all[2]?.asked).toEqual(['start cpu', 'model 1', 'data pairs.txt', 'restore 2']);
    expect(FakeWorker.all[0]?.terminated).toBe(true);
    for (let step = 1; step <= 7; step += 1) expect(losses.get(`0@${step}`)).toBe(lossOf(0.1, step));
    expect(lab.notice.value).toContain('out of memory');
    expect(lab.notice.value).toContain('step 2');
  });

  test('starts again where there is no checkpoint', async () => {
    const { lab, losses, start } = await open((worker, index) => {
      if (index === 0) worker.diesAt = 4;
    });
    await start(plan(5, [0.1, 0.2], { validationEvery: 0, checkpointEvery: 0 }));
    expect(lab.phase.value).toBe('finished');
    expect(losses.get('0@5')).toBe(lossOf(0.1, 5));
  });

  test('class_29 on WebGPU again and again goes on on the CPU', async () => {
    const { lab, start } = await open((worker, index) => {
      if (index < 2) worker.diesAt = 3;
    }, 'webgpu');
    const wanted = plan(5);
    await start({ ...wanted, settings: { ...wanted.settings, half_precision: true } });
    expect(lab.phase.value).toBe('finished');
    expect(FakeWorker.all.map(({ settings }) => settings?.half_precision)).toEqual([true, true, false]);
    expect(FakeWorker.all.map(({ asked }) => asked[0])).toEqual([
      'start webgpu',
      'start webgpu',
      'start cpu',
    ]);
    expect(lab.notice.value).toContain('CPU');
  });

  test('at the same step again and again ends the training, for replaying is no progress', async () => {
    const { lab, start } = await open((worker) => {
      worker.diesAt = 4;
    });
    await start(plan(6, [0.1, 0.2]));
    expect(lab.phase.value).toBe('failed');
    expect(FakeWorker.all).toHaveLength(6);
  });

  test('for ever ends the training with its reason', async () => {
    const { lab, start } = await open((worker) => {
      worker.diesAt = 1;
    });
    await start(plan(5));
    expect(lab.phase.value).toBe('failed');
    expect(lab.failure.value?.message).toContain('out of memory');
  });
});

describe('a run with more than one core', () => {
  test('shares its steps among workers that stay the same', async () => {
    const { lab, losses, evaluations, start } = await open();
    await start(plan(5, [0.1]));
    expect(lab.phase.value).toBe('finished');
    expect(FakeWorker.all).toHaveLength(2);
    expect(lab.trainees.map(({ workers }) => workers.length)).toEqual([2]);
    for (let step = 1; step <= 5; step += 1) expect(losses.get(`0@${step}`)).toBe(lossOf(0.1, step));
    expect(evaluations.map(([, { step }]) => step)).toEqual([0, 3, 5]);
  });

  test.each([0, 1])('goes on from its checkpoint in all of them where worker %i dies', async (dying) => {
    const { lab, losses, start } = await open((worker, index) => {
      if (index === dying) worker.diesAt = 4;
    });
    await start(plan(7, [0.1]));
    expect(lab.phase.value).toBe('finished');
    const replaced = FakeWorker.all.slice(2);
    expect(replaced.map(({ asked }) => asked.at(-1))).toEqual(['restore 2', 'restore 2']);
    expect(losses.get('0@7')).toBe(lossOf(0.1, 7));
  });

  test('goes on from what was kept', async () => {
    const { lab, losses } = await open();
    const kept = [{ runs: [0], step: 3, ended: false, bytes: new Uint8Array([3]) }];
    await lab.restore(plan(5, [0.1]), kept, {
      onStep: (_, { step, runs }) => losses.set(`0@${step}`, runs[0]?.loss ?? null),
      onEvaluation: () => {},
      onReady: async () => {},
    });
    expect(lab.phase.value).toBe('finished');
    expect([...losses.keys()]).toEqual(['0@4', '0@5']);
    expect(FakeWorker.all.map(({ asked }) => asked.at(-1))).toEqual(['restore 3', 'restore 3']);
  });
});

describe('diagnostics', () => {
  const told = async (diagnostics: boolean) => {
    const { measured, start } = await open();
    const wanted = plan(2);
    await start({ ...wanted, settings: { ...wanted.settings, diagnostics } });
    return measured;
  };

  test('come from every run while they are on', async () => {
    expect((await told(true)).get('1@2')).toEqual(diagnosticsOf(2));
    expect((await told(false)).get('1@2')).toBeNull();
  });
});

describe('stop while preparing', () => {
  test('ends it, and Start works again', async () => {
    const { lab, losses, start } = await open();
    const first = start(plan());
    lab.stop();
    await start(plan(3));
    await first;
    expect(lab.phase.value).toBe('finished');
    expect(losses.get('1@3')).toBe(lossOf(0.2, 3));
  });
});

describe('samples', () => {
  test('the base writes once, each run under its own index', async () => {
    const { lab, start } = await open();
    await start(plan(2, [0.1, 0.2, 0.3]));
    const pieces: SamplePiece[] = [];
    const answer = await lab.sample(sampleSettings, (piece) => piece.done && pieces.push(piece));
    expect(answer.ok).toBe(true);
    expect(pieces.map(({ run }) => run).sort()).toEqual([0, 1, 2, null]);
  });

  test('are of the base alone before there are runs, and need a model', async () => {
    const { lab } = await open();
    const pieces: SamplePiece[] = [];
    const settings = { ...sampleSettings, include_base: false };
    expect((await lab.sample(settings, (piece) => piece.done && pieces.push(piece))).ok).toBe(true);
    expect(pieces.map(({ run }) => run)).toEqual([null]);
    const empty = new Lab(() => new FakeWorker(), { cores: 2, memory: 0 });
    const answer = await empty.sample(settings, () => {});
    expect(answer.ok ? '' : answer.failure.message).toContain('Load a model');
  });
});

describe('losses token by token', () => {
  const wanted = { text: 'abc', example: 0, include_base: true };

  test('come from all workers, the base’s once, under the page’s numbers of runs', async () => {
    const { lab, start } = await open();
    await start(plan(2, [0.1, 0.2, 0.3]));
    const answer = await lab.tokenLosses(wanted);
    if (!answer.ok) throw new Error(answer.failure.message);
    expect(answer.value.tokens.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
    expect(answer.value.lanes).toEqual([
      { run: null, losses: [null, 9, 9] },
      { run: 0, losses: [null, 0.1, 0.1] },
      { run: 1, losses: [null, 0.2, 0.2] },
      { run: 2, losses: [null, 0.3, 0.3] },
    ]);
  });

  test('are the base’s before there are runs', async () => {
    const { lab } = await open();
    const answer = await lab.tokenLosses(wanted);
    expect(answer.ok && answer.value.lanes.map(({ run }) => run)).toEqual([null]);
  });
});

describe('why a worker was lost', () => {
  const lost = (message: string, engine: 'cpu' | 'webgpu') =>
    lostWords({ place: 'engine', field: null, message }, engine).message;

  test.each([
    ['the WebGPU device was lost: Destroyed Device was destroyed.; training can resume', 'device was lost'],
    ['The worker stopped: Uncaught RuntimeError: unreachable', 'the GPU is gone'],
    ['wgpu error: Validation Error\n\nCaused by:\n  In Queue::submit', 'refused'],
    ['wgpu error: Out of Memory', 'out of memory'],
    ['wgpu error: Validation Error: Parent device is lost', 'device was lost'],
    ['The engine stopped: A server is still registered', 'WebGPU stopped'],
  ])('is said of WebGPU without raw words: %s', (raw, words) => {
    const told = lost(raw, 'webgpu');
    expect(told).toContain(words);
    expect(told).not.toMatch(/wgpu |Destroyed|unreachable|RuntimeError|Caused by|registered/);
    // Said again, it is the same.
    expect(lost(told, 'webgpu')).toBe(told);
  });

  test('is said of the CPU as what it is, and left alone where it is plain', () => {
    expect(lost('The worker stopped: RuntimeError: memory access out of bounds', 'cpu')).toBe(
      'A worker ran out of memory.',
    );
    expect(lost('The worker stopped: RuntimeError: unreachable', 'cpu')).toContain('report');
    expect(lost('There is nothing to do.', 'cpu')).toBe('There is nothing to do.');
  });
});

describe('engine', () => {
  test('a change loads model and data again', async () => {
    const { lab } = await open();
    await lab.useEngine({ engine: 'webgpu', reason: '', gpuUsable: true });
    expect(FakeWorker.all[0]?.terminated).toBe(true);
    expect(FakeWorker.all[1]?.asked).toEqual(['start webgpu', 'model 1', 'data pairs.txt']);
  });
});
