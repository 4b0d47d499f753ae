import { beforeEach, expect, test, vi } from 'vitest';
import { sessionSettings } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import type { EngineChoice } from '../src/engine/engine-choice';
import type { WorkerApi } from '../src/engine/worker-api';
import { Exporter } from '../src/lab/exporting';
import { Lab } from '../src/lab/lab';
import { isTraining } from '../src/lab/state';
import type { TrainingPlan } from '../src/lab/training';
import { FakeWorker, lossOf, type Spoiled } from './fake-worker';

const files = [new File(['x'], 'model.gguf')];
const others = [new File(['y'], 'other.gguf')];
const source = { name: 'pairs.txt', blob: new Blob(['a||b']) };
const other = { name: 'other.txt', blob: new Blob(['c||d']) };
const choices: EngineChoice[] = [
  { engine: 'cpu', reason: '', gpuUsable: true },
  { engine: 'webgpu', reason: '', gpuUsable: true },
];
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Numbers from 0 to below `limit`, the same ones for the same seed. */
function numbers(seed: number): (limit: number) => number {
  let state = seed * 2654435761 + 1;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function plan(steps: number, lrs: readonly number[], checkpointEvery: number): TrainingPlan {
  const settings = sessionSettings(defaultConfig());
  const [template] = settings.runs;
  if (template === undefined) throw new Error('the defaults have runs');
  const runs = lrs.map((lr) => ({ ...template, optimizer: { ...template.optimizer, lr } }));
  return { settings: { ...settings, steps, runs }, validationEvery: 3, checkpointEvery };
}

beforeEach(() => {
  FakeWorker.all = [];
  // Raw words of what was lost go there.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

// More of them with `STORMS=600 npx vitest run unit/storm.test.ts`.
const seeds = Array.from({ length: Number(process.env.STORMS ?? 24) }, (_, seed) => seed);

test.each(seeds)(
  'whatever a user does and workers suffer, the next training is as it should be (%i)',
  async (seed) => {
    const random = numbers(seed);
    let calm = false;
    const questions: (keyof WorkerApi)[] = [
      'start',
      'loadModel',
      'loadData',
      'configure',
      'restore',
      'step',
      'evaluate',
      'checkpoint',
      'sample',
      'tokenLosses',
      'estimate',
      'exportAdapter',
    ];
    const ends: Spoiled[] = ['dies', 'dies', 'refuses'];
    const lab = new Lab(
      () =>
        new FakeWorker((worker) => {
          if (calm || random(3) > 0) return;
          const question = questions[random(questions.length)];
          const end = ends[random(ends.length)];
          if (question !== undefined && end !== undefined) worker.spoils.set(question, end);
          if (random(3) === 0) worker.diesAt = 1 + random(6);
        }),
      { cores: 1 + random(3), memory: 0 },
      { patience: 3 },
    );
    const done: Promise<unknown>[] = [];
    const wrong: string[] = [];
    const listener = { onStep: () => {}, onEvaluation: () => {}, onReady: async () => {} };
    /** Trains, and looks whether every step is one of these runs and no other's. */
    const start = (lrs: readonly number[], steps: number, checkpointEvery: number, singleStep: boolean) =>
      lab.start(
        plan(steps, lrs, checkpointEvery),
        {
          ...listener,
          onStep: ({ runs }, { step, runs: reports }) => {
            for (const [index, { loss }] of reports.entries()) {
              if (loss !== lossOf(lrs[runs[index] ?? -1] ?? 0, step)) wrong.push(`${runs[index]}@${step}`);
            }
          },
        },
        singleStep,
      );
    const sample = { ...defaultConfig().sample, prompt: 'a', include_base: true };
    const actions: (() => unknown)[] = [
      () => lab.useEngine(choices[random(2)] as EngineChoice),
      () => lab.loadModel(random(2) === 0 ? files : others),
      () => lab.loadData(random(2) === 0 ? source : other, defaultConfig().data),
      () => lab.cancelLoading(),
      () => start([0.1, 0.2, 0.3].slice(random(3)), 4 + random(20), random(3), random(3) === 0),
      () => lab.stop(),
      () => lab.pause(),
      () => lab.resume(),
      () => lab.stepOnce(),
      () => lab.sample(sample, () => {}),
      () => lab.cancelSampling(),
      () => lab.tokenLosses({ text: 'ab', example: 0, include_base: true }),
      () => lab.estimate(plan(4, [0.1], 0).settings),
      () => new Exporter(lab.desk).peft(random(3), 'base'),
      () => lab.checkpointNow(),
      () => lab.rest(),
      () => FakeWorker.all[random(FakeWorker.all.length)]?.crash(),
      () => FakeWorker.all[random(FakeWorker.all.length)]?.api.loseDevice(),
    ];
    done.push(
      lab.useEngine(choices[random(2)] as EngineChoice),
      lab.loadModel(files),
      lab.loadData(source, defaultConfig().data),
    );
    for (let round = 0; round < 40; round += 1) {
      const did = actions[random(actions.length)]?.();
      if (did instanceof Promise) done.push(did);
      for (let turns = random(12); turns > 0; turns -= 1) await turn();
    }
    calm = true;
    lab.stop();
    if (lab.phase.value === 'paused') lab.resume();
    await Promise.all(done);
    expect(isTraining(lab.state.value)).toBe(false);
    expect(wrong).toEqual([]);

    for (const worker of FakeWorker.all) worker.calm();
    expect((await lab.useEngine(choices[0] as EngineChoice)).ok).toBe(true);
    expect(await lab.loadModel(files)).toMatchObject({ ok: true, value: { name: 'model.gguf' } });
    await lab.loadData(source, defaultConfig().data);
    expect(lab.data.value.status).toBe('ready');
    const losses = new Map<string, number | null>();
    await lab.start(plan(5, [0.4, 0.5], 2), {
      ...listener,
      onStep: ({ runs }, report) => {
        for (const [index, { loss }] of report.runs.entries())
          losses.set(`${runs[index]}@${report.step}`, loss);
      },
    });
    expect(lab.failure.value).toBeNull();
    expect(lab.phase.value).toBe('finished');
    for (const step of [1, 2, 3, 4, 5]) {
      expect(losses.get(`0@${step}`)).toBe(lossOf(0.4, step));
      expect(losses.get(`1@${step}`)).toBe(lossOf(0.5, step));
    }
    expect(losses.size).toBe(10);
    // Nobody is left over: as many workers as train, and none when all rest.
    const alive = () => FakeWorker.all.filter(({ terminated }) => !terminated).length;
    expect(alive()).toBe(lab.trainees.flatMap(({ workers }) => workers).length);
    await lab.rest();
    expect(alive()).toBe(0);
  },
);
