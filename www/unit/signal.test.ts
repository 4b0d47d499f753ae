import { describe, expect, test, vi } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { batch, Computed, Signal } from '../src/signal';
import { FakeWorker } from './fake-worker';

test('who reads a part of a value is not called when the rest changes', () => {
  const signal = new Signal({ view: { smoothing: 0.5, logScale: false }, rank: 8 });
  const seen: number[] = [];
  const end = signal.subscribeTo(
    ({ view }) => view.smoothing,
    (smoothing) => seen.push(smoothing),
  );
  const looks: boolean[] = [];
  signal.subscribeTo(
    ({ view }) => [view.logScale],
    ([logScale]) => looks.push(logScale ?? false),
  );
  // As settings change: all of them are copied at every keystroke.
  const change = (edit: (value: typeof signal.value) => void) => {
    const next = structuredClone(signal.value);
    edit(next);
    signal.set(next);
  };
  change((value) => Object.assign(value, { rank: 4 }));
  expect([seen, looks]).toEqual([[], []]);
  change(({ view }) => Object.assign(view, { smoothing: 0.9 }));
  change(({ view }) => Object.assign(view, { logScale: true }));
  change(({ view }) => Object.assign(view, { smoothing: 0.5 }));
  expect([seen, looks]).toEqual([[0.9, 0.5], [true]]);
  end();
  change(({ view }) => Object.assign(view, { smoothing: 0.1 }));
  expect(seen).toHaveLength(2);
});

test('a batch tells each reader once, what is true at its end', () => {
  const [one, other] = [new Signal(1), new Signal('a')];
  const seen: unknown[] = [];
  one.subscribe((value) => seen.push([value, other.value]));
  other.subscribe((value) => seen.push([one.value, value]));
  const answer = batch(() => {
    one.set(2);
    batch(() => other.set('b'));
    one.set(3);
    expect(seen).toEqual([]);
    return one.value;
  });
  expect(answer).toBe(3);
  expect(seen).toEqual([
    [3, 'b'],
    [3, 'b'],
  ]);
  // There and back is no change.
  batch(() => {
    one.set(4);
    one.set(3);
  });
  expect(seen).toHaveLength(2);
  expect(() =>
    batch(() => {
      one.set(5);
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(seen.at(-1)).toEqual([5, 'b']);
});

test('what follows from others is computed once for each of their values, and tells only another content', () => {
  const [count, factor] = [new Signal(1), new Signal(2)];
  const compute = vi.fn((one: number, other: number) => new Map([['even', (one * other) % 2 === 0]]));
  const even = new Computed([count, factor], compute);
  const seen: unknown[] = [];
  even.subscribe((value) => seen.push(value.get('even')));
  expect(even.value).toBe(even.value);
  expect(compute).toHaveBeenCalledTimes(1);
  count.set(2);
  count.set(3);
  expect(seen).toEqual([]);
  batch(() => {
    factor.set(5);
    // It is never behind, whoever asks.
    expect(even.value.get('even')).toBe(false);
    count.set(7);
  });
  expect(seen).toEqual([false]);
  expect(compute).toHaveBeenCalledTimes(5);
});

test('an edit leaves the rest what it was', () => {
  const signal = new Signal({ session: { rank: 8 }, runs: [{ lr: 1 }, { lr: 2 }] });
  const before = signal.value;
  signal.edit(({ runs }) => Object.assign(runs[1] ?? {}, { lr: 3 }));
  expect(signal.value).toEqual({ session: { rank: 8 }, runs: [{ lr: 1 }, { lr: 3 }] });
  expect(before.runs[1]).toEqual({ lr: 2 });
  expect(signal.value.session).toBe(before.session);
  expect(signal.value.runs[0]).toBe(before.runs[0]);
  const told = vi.fn();
  signal.subscribe(told);
  signal.edit(({ session }) => Object.assign(session, { rank: 8 }));
  expect(told).not.toHaveBeenCalled();
});

describe('a keystroke in the rank', () => {
  function typed(rank: number) {
    const app = new App(
      new Lab(() => new FakeWorker(), { cores: 1, memory: 0 }),
      new Signal(defaultConfig()),
    );
    const before = app.config.value;
    const told: string[] = [];
    app.config.subscribe(() => told.push('config'));
    app.problems.subscribe(() => told.push('problems'));
    app.dataStale.subscribe(() => told.push('data'));
    app.measured.subscribe(() => told.push('measured'));
    app.trainedRuns.subscribe(() => told.push('trainedRuns'));
    for (const part of ['session', 'runs', 'data', 'sample', 'view'] as const) {
      app.config.subscribeTo(
        (config) => config[part],
        () => told.push(part),
      );
    }
    app.change(({ session }) => {
      session.rank = rank;
    });
    return { told, before, after: app.config.value };
  }

  test('tells who reads the session, and nobody else', () => {
    const { told, before, after } = typed(4);
    expect(told.sort()).toEqual(['config', 'session']);
    for (const part of ['runs', 'data', 'sample', 'view'] as const) expect(after[part]).toBe(before[part]);
  });

  test('that is wrong tells of the problem too', () => {
    expect(typed(65).told.sort()).toEqual(['config', 'problems', 'session']);
  });

  test('that changes nothing tells nobody', () => expect(typed(8).told).toEqual([]));
});
