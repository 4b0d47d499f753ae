import { beforeEach, describe, expect, test } from 'vitest';
import { sessionSettings } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { PictureLab } from '../src/images/picture-lab';
import { Budget } from '../src/lab/budget';
import { Lab } from '../src/lab/lab';
import type { TrainingPlan } from '../src/lab/training';
import { defaultTheory } from '../src/theory/config';
import { TheoryLab } from '../src/theory/lab';
import { FakeWorker } from './fake-worker';

const one = { name: 'one' };
const two = { name: 'two' };
const turn = () => new Promise((resolve) => setTimeout(resolve));
const until = async (holds: () => boolean) => {
  for (let turns = 0; !holds(); turns += 1) {
    if (turns > 3000) throw new Error('it never holds');
    await turn();
  }
};

describe('the budget', () => {
  test('leaves to one what the other does not use', () => {
    const budget = new Budget({ cores: 8, memory: 100 });
    budget.hold(one, { cores: 5, memory: 30, gpu: false });
    expect(budget.free(two)).toEqual({ cores: 3, memory: 70 });
    expect(budget.free(one)).toEqual({ cores: 8, memory: 100 });
    budget.release(one);
    expect(budget.free(two)).toEqual({ cores: 8, memory: 100 });
  });

  test('does not take memory that is used up for unknown', () => {
    const budget = new Budget({ cores: 2, memory: 10 });
    budget.hold(one, { cores: 1, memory: 20, gpu: false });
    expect(budget.free(two)).toEqual({ cores: 1, memory: 1 });
    expect(new Budget({ cores: 2, memory: 0 }).free(two).memory).toBe(0);
  });

  test('has one GPU, and cores beside it', () => {
    const budget = new Budget({ cores: 2, memory: 0 });
    budget.hold(one, { cores: 1, memory: 0, gpu: true });
    expect(budget.inTheWay(two, true)).toBe(one);
    expect(budget.inTheWay(two, false)).toBeUndefined();
  });

  test('says for whom one waits, until there is room or that is not wanted any more', async () => {
    const budget = new Budget({ cores: 2, memory: 0 });
    budget.hold(one, { cores: 2, memory: 0, gpu: false });
    const waited: string[] = [];
    const patient = new AbortController();
    const impatient = new AbortController();
    const ends: string[] = [];
    const wait = async (who: string, { signal }: AbortController) => {
      await budget.room({ name: who }, false, signal, ({ name }) => waited.push(name));
      ends.push(who);
    };
    const both = [wait('patient', patient), wait('impatient', impatient)];
    await turn();
    expect(waited).toEqual(['one', 'one']);
    impatient.abort();
    await turn();
    expect(ends).toEqual(['impatient']);
    budget.release(one);
    await Promise.all(both);
    expect(ends).toEqual(['impatient', 'patient']);
  });
});

describe('labs that share a machine', () => {
  const template = sessionSettings(defaultConfig());
  const plan = (steps: number): TrainingPlan => ({
    settings: { ...template, steps },
    validationEvery: 0,
    checkpointEvery: 2,
  });
  const listener = { onStep: () => {}, onEvaluation: () => {}, onReady: async () => {} };
  const cpu = { engine: 'cpu' as const, reason: '', gpuUsable: false };

  beforeEach(() => {
    FakeWorker.all = [];
  });

  async function both(cores: number, restAfter?: number) {
    const machine = { cores, memory: 0 };
    const budget = new Budget(machine);
    const texts = new Lab(() => new FakeWorker(), machine, { name: 'the Language tab', budget });
    const rest = restAfter === undefined ? {} : { restAfter };
    const pictures = new PictureLab(() => new FakeWorker(), machine, {
      name: 'the Images tab',
      budget,
      ...rest,
    });
    for (const lab of [texts, pictures]) {
      await lab.useEngine(cpu);
      await lab.loadModel([new File(['x'], 'model')]);
    }
    await texts.loadData({ name: 'pairs.txt', blob: new Blob(['a||b']) }, defaultConfig().data);
    await pictures.loadData({ name: 'set', pictures: [], validation: 0 }, { caption_dropout: 0 });
    return { texts, pictures, budget };
  }

  test('train one after the other where one takes it all', async () => {
    const { texts, pictures } = await both(2);
    const first = texts.start(plan(20), listener);
    await until(() => texts.phase.value === 'running');
    const second = pictures.start(plan(4), listener);
    await until(() =>
      pictures.preparing.value.action.includes('waiting for the training of the Language tab'),
    );
    expect(texts.phase.value).toBe('running');
    await first;
    await second;
    expect([texts.phase.value, pictures.phase.value]).toEqual(['finished', 'finished']);
  });

  test('one that waits can be stopped, and harms nobody', async () => {
    const { texts, pictures, budget } = await both(2);
    const first = texts.start(plan(20), listener);
    await until(() => texts.phase.value === 'running');
    const second = pictures.start(plan(4), listener);
    await until(() => pictures.preparing.value.action.includes('waiting'));
    pictures.stop();
    await second;
    expect(pictures.phase.value).toBe('stopped');
    expect(budget.holders.value).toEqual([texts]);
    await first;
    expect(budget.holders.value).toEqual([]);
    await pictures.start(plan(2), listener);
    expect(pictures.phase.value).toBe('finished');
  });

  test('two that wait begin one after the other', async () => {
    const { texts, pictures, budget } = await both(2);
    const others = new Lab(() => new FakeWorker(), budget.machine, { name: 'a third', budget });
    await others.useEngine(cpu);
    await others.loadModel([new File(['x'], 'model')]);
    await others.loadData({ name: 'pairs.txt', blob: new Blob(['a||b']) }, defaultConfig().data);
    let most = 0;
    const labs = [texts, pictures, others];
    for (const lab of labs) {
      lab.phase.subscribe(() => {
        most = Math.max(most, labs.filter(({ phase }) => phase.value === 'running').length);
      });
    }
    await Promise.all(labs.map((lab) => lab.start(plan(6), listener)));
    expect(labs.map(({ phase }) => phase.value)).toEqual(['finished', 'finished', 'finished']);
    expect(most).toBe(1);
    expect(budget.holders.value).toEqual([]);
  });

  test('keep their engine while somebody trains in a row', async () => {
    const { texts } = await both(2);
    texts.reserve();
    await texts.useEngine({ engine: 'webgpu', reason: '', gpuUsable: true });
    for (const steps of [2, 3]) {
      await texts.start(plan(steps), listener);
      expect(texts.phase.value).toBe('finished');
      expect(texts.choice.value.engine).toBe('cpu');
    }
    texts.release();
    await texts.start(plan(2), listener);
    expect(texts.choice.value.engine).toBe('webgpu');
  });

  test('train beside each other on what there is', async () => {
    const { texts, pictures } = await both(3);
    const single = {
      ...plan(20),
      settings: { ...template, steps: 20, runs: template.runs.slice(0, 1), batch_size: 2 },
    };
    const first = texts.start(single, listener);
    await until(() => texts.phase.value === 'running');
    await pictures.start(plan(4), listener);
    expect(texts.trainees.flatMap(({ workers }) => workers)).toHaveLength(2);
    expect(pictures.trainees.flatMap(({ workers }) => workers)).toHaveLength(1);
    await first;
  });

  test('give the machine back where a training fails', async () => {
    const { texts, budget } = await both(2);
    for (const worker of FakeWorker.all) worker.refuses = { place: 'settings', field: null, message: 'no' };
    await texts.start(plan(4), listener);
    expect(texts.phase.value).toBe('failed');
    expect(budget.holders.value).toEqual([]);
  });

  test('let idle workers go, which come back with what they had learned', async () => {
    const { pictures } = await both(2, 5);
    await pictures.start(plan(4), listener);
    await until(() => FakeWorker.all.slice(1).every(({ terminated }) => terminated));
    expect(pictures.model.value.status).toBe('ready');
    expect(pictures.phase.value).toBe('finished');
    const order = { captions: ['a'], steps: 2, guidance: 1, seed: 0, runs: [0, 1], include_base: true };
    const drawn = await pictures.draw(order, () => {});
    expect(drawn.ok && drawn.value.map(({ run }) => run)).toEqual([null, 0, 1]);
    expect(FakeWorker.all.flatMap(({ asked }) => asked).filter((what) => what === 'restore 4')).toHaveLength(
      2,
    );
  });

  test('and a theory that is solved needs no worker', async () => {
    const lab = new TheoryLab(() => new FakeWorker(), 5);
    await lab.run(defaultTheory());
    await until(() => FakeWorker.all.every(({ terminated }) => terminated));
    await lab.run(defaultTheory());
    expect(lab.state.value.phase).toBe('finished');
    expect(FakeWorker.all).toHaveLength(2);
  });
});
