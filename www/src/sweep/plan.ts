import { presetName } from '../config/preset-name';
import { presetCalled, settingsOf } from '../config/presets';
import type { OptimizerSettings } from '../protocol';
import { setting } from '../words/numbers';
import { hasQuantity, lrOf, type SweepConfig, type SweepQuantity } from './config';
import { readValues } from './grid';
import type { SweptRun } from './record';

/** One run of a sweep. */
export interface Point {
  /** Id of the preset. */
  method: string;
  /** Of what is varied. */
  value: number;
  lr: number;
  rank: number;
  /** Which training of the same run it is, from 0: its seed is so much above that of the Language tab. */
  repeat: number;
  optimizer: OptimizerSettings;
}

/** All runs that a sweep wants: seed after seed and value after value, so that methods can be compared early. */
export function wantedPoints(config: SweepConfig, steps: number, rank: number): Point[] {
  return Array.from({ length: config.seeds }, (_, repeat) => pointsOnce(config, steps, rank, repeat)).flat();
}

function pointsOnce(config: SweepConfig, steps: number, rank: number, repeat: number): Point[] {
  const { quantity, methods } = config;
  const ids = methods.filter((method) => hasQuantity(method, quantity));
  return readValues(config.values[quantity]).flatMap((value) =>
    ids.flatMap((method) => {
      const preset = presetCalled(method);
      if (preset === undefined) return [];
      const optimizer = settingsOf(preset, steps);
      optimizer.lr = quantity === 'lr' ? value : lrOf(config, method);
      if (quantity === 'damping' && optimizer.preconditioner !== null)
        optimizer.preconditioner.damping = value;
      const point = { method, value, lr: optimizer.lr, repeat, optimizer };
      return [{ ...point, rank: quantity === 'rank' ? value : rank }];
    }),
  );
}

// As the engine counts them.
const SEEDS = 2 ** 32;

/** The seed of the runs that are trained for the `repeat`-th time. */
export function seedOf(first: number, repeat: number): number {
  return (first + repeat) % SEEDS;
}

/** The name of a run: its method, and its value of what is varied. */
export function pointName(
  { method, value }: Pick<Point, 'method' | 'value'>,
  quantity: SweepQuantity,
): string {
  return `${presetName(method)} at ${quantity} ${setting(value)}`;
}

/** Whether a result is of this point. */
export function isOf(
  result: SweptRun,
  point: Pick<Point, 'method' | 'value' | 'lr'> & { repeat?: number },
): boolean {
  return (
    result.method === point.method &&
    result.value === point.value &&
    result.lr === point.lr &&
    (result.repeat ?? 0) === (point.repeat ?? 0)
  );
}

/** The points that have no result yet. */
export function pendingPoints(wanted: readonly Point[], results: readonly SweptRun[]): Point[] {
  return wanted.filter((point) => !results.some((result) => isOf(result, point)));
}

/**
 * Points that are trained together: of one rank and one seed, and no more than fit. The banks of a rank are as even as
 * possible, because the last worker to finish is the one that is waited for.
 */
export function banksOf(points: readonly Point[], capacity: (rank: number) => number): Point[][] {
  const kindOf = ({ rank, repeat }: Point) => `${repeat} ${rank}`;
  const kinds = [...new Set(points.map(kindOf))];
  return kinds.flatMap((kind) => {
    const own = points.filter((point) => kindOf(point) === kind);
    const banks = Math.ceil(own.length / Math.max(1, capacity(own[0]?.rank ?? 1)));
    const size = Math.ceil(own.length / banks);
    return Array.from({ length: banks }, (_, index) => own.slice(index * size, (index + 1) * size)).filter(
      (bank) => bank.length > 0,
    );
  });
}

/** The largest count up to `most` that fits, where smaller ones fit too; 0 where not even one does. */
export async function largestFitting(
  most: number,
  fits: (count: number) => Promise<boolean>,
): Promise<number> {
  let [good, bad] = [0, most + 1];
  // The whole first: mostly it fits.
  let next = most;
  while (bad - good > 1) {
    if (await fits(next)) good = next;
    else bad = next;
    next = Math.floor((good + bad) / 2);
  }
  return good;
}
