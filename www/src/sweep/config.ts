import { presetCalled } from '../config/presets';
import { type Grid, gridValues, writeValues } from './grid';

/** What a sweep varies. */
export type SweepQuantity = 'lr' | 'rank' | 'damping';

/** All of them, in the order of the page. */
export const sweepQuantities: readonly SweepQuantity[] = ['lr', 'rank', 'damping'];

/** Everything about a sweep that a user can set. Kept across reloads. */
export interface SweepConfig {
  quantity: SweepQuantity;
  /** Ids of presets. */
  methods: string[];
  grids: Record<SweepQuantity, Grid>;
  /** The values to train at, as the user wrote them. */
  values: Record<SweepQuantity, string>;
  /** Learning rates by preset, where something else is varied. */
  lrs: Record<string, number>;
  /** How many times each run is trained: with the seed of the Language tab, and those that follow it. */
  seeds: number;
  /** Steps between two measurements of the validation loss; 0 is at the end only. */
  validationEvery: number;
}

/** Seven values, four decades of learning rates: as in the experiments of EXPERIMENTS.md. */
export function defaultSweep(): SweepConfig {
  const grids: SweepConfig['grids'] = {
    lr: { lowest: 1e-4, highest: 1e-1, points: 7, log: true },
    rank: { lowest: 1, highest: 64, points: 7, log: true },
    damping: { lowest: 1e-6, highest: 1, points: 7, log: true },
  };
  return {
    quantity: 'lr',
    methods: ['adamw', 'scaled-adamw-safe'],
    grids,
    values: { lr: valuesOf(grids, 'lr'), rank: valuesOf(grids, 'rank'), damping: valuesOf(grids, 'damping') },
    lrs: {},
    seeds: 1,
    validationEvery: 0,
  };
}

/** The list that a grid makes. */
export function valuesOf(grids: SweepConfig['grids'], quantity: SweepQuantity): string {
  return writeValues(gridValues(grids[quantity], quantity === 'rank'));
}

/** The learning rate of a preset where something else is varied. */
export function lrOf(config: Pick<SweepConfig, 'lrs'>, preset: string): number {
  return config.lrs[preset] ?? presetCalled(preset)?.optimizer.lr ?? Number.NaN;
}

/** Whether a preset has what is varied. */
export function hasQuantity(preset: string, quantity: SweepQuantity): boolean {
  const optimizer = presetCalled(preset)?.optimizer;
  return optimizer !== undefined && (quantity !== 'damping' || optimizer.preconditioner !== null);
}
