import { describe, expect, test } from 'vitest';
import {
  isTraining,
  type LabPhase,
  type LabState,
  next,
  nothingYet,
  refusal,
  type Wish,
} from '../src/lab/state';

const phases: LabPhase[] = [
  'idle',
  'preparing',
  'running',
  'pausing',
  'paused',
  'finished',
  'stopped',
  'failed',
];
const at = (step: LabPhase, attempt = 5): LabState => ({ ...nothingYet, training: { step, attempt } });
const ready: LabState = { ...nothingYet, model: { step: 'ready', attempt: 1 } };

describe('a training', () => {
  // What an attempt may tell where it stands; all else changes nothing.
  const ways: Record<LabPhase, string> = {
    idle: '',
    preparing: 'running pausing stopped failed',
    running: 'pausing finished stopped failed',
    pausing: 'running paused finished stopped failed',
    paused: 'running pausing stopped failed',
    finished: 'idle',
    stopped: 'idle',
    failed: 'idle',
  };

  test.each(phases)('that is %s goes where it may, and nowhere else', (from) => {
    const before = at(from);
    const reached = phases.filter((step) => next(before, { task: 'training', attempt: 5, step }) !== before);
    expect(reached.sort().join(' ')).toBe(ways[from].split(' ').filter(Boolean).sort().join(' '));
  });

  test.each(phases)('that is %s hears nothing from an earlier attempt', (from) => {
    const before = at(from);
    for (const step of phases) expect(next(before, { task: 'training', attempt: 4, step })).toBe(before);
  });

  test.each(phases)('that is %s gives way to a later one, which begins by being prepared', (from) => {
    const before = at(from);
    for (const step of phases) {
      const after = next(before, { task: 'training', attempt: 6, step });
      if (step === 'preparing') expect(after.training).toEqual({ step, attempt: 6 });
      else expect(after).toBe(before);
    }
  });
});

describe.each(['engine', 'model', 'data'] as const)('loading of %s', (task) => {
  const loading: LabState = { ...nothingYet, [task]: { step: 'loading', attempt: 2 } };

  test('ends once', () => {
    const after = next(loading, { task, attempt: 2, step: 'ready' });
    expect(after[task].step).toBe('ready');
    expect(next(after, { task, attempt: 2, step: 'failed' })).toBe(after);
    expect(next(after, { task, attempt: 2, step: 'loading' })).toBe(after);
  });

  test('hears nothing from one that was given up for it', () => {
    expect(next(loading, { task, attempt: 1, step: 'ready' })).toBe(loading);
    expect(next(loading, { task, attempt: 1, step: 'failed' })).toBe(loading);
  });

  test('does not begin at its end', () => {
    expect(next(nothingYet, { task, attempt: 1, step: 'ready' })).toBe(nothingYet);
  });
});

describe('what a user wants', () => {
  const wishes: Wish[] = ['engine', 'model', 'data', 'adapter', 'start'];
  const refusedAt = (state: LabState) => wishes.filter((wish) => refusal(state, wish) !== undefined);

  test.each(phases)('while a training is %s', (step) => {
    const state = { ...ready, training: { step, attempt: 1 } };
    expect(refusedAt(state)).toEqual(isTraining(state) ? wishes : []);
  });

  test('while somebody trains in a row is refused to all others', () => {
    expect(refusedAt({ ...ready, reserved: true })).toEqual(['engine', 'model', 'data', 'adapter']);
  });

  test('needs a model where it is about one', () => {
    expect(refusedAt(nothingYet)).toEqual(['adapter', 'start']);
  });

  test('is refused with a way out', () => {
    for (const wish of wishes)
      expect(refusal(at('running'), wish)?.failure.message).toMatch(
        /^A training goes on\. Stop it first, or /,
      );
  });
});
