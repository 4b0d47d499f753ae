import { expect, test } from 'vitest';
import { Signal } from '../src/signal';

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
