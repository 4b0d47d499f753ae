import { presetCalled } from '../config/presets';
import { recall, rememberSoon } from '../store/remembered';
import { defaultSweep, type SweepConfig, sweepQuantities } from './config';
import type { Grid } from './grid';

const KEY = 'riemann-lora.sweep';

/** The sweep of this tab, or of the last visit; what is missing or nonsense has its default. */
export function recallSweep(): SweepConfig {
  try {
    return readSweep(JSON.parse(recall(KEY) ?? 'null'));
  } catch {
    // Something else is there.
    return defaultSweep();
  }
}

/** Keeps the settings for the next visit. */
export function keepSweep(config: SweepConfig): void {
  rememberSoon(KEY, () => JSON.stringify(config));
}

/** Reads what may be of any origin. */
export function readSweep(found: unknown): SweepConfig {
  const config = defaultSweep();
  if (!isRecord(found)) return config;
  config.quantity = sweepQuantities.find((one) => one === found.quantity) ?? config.quantity;
  if (Array.isArray(found.methods)) {
    config.methods = found.methods.filter((id) => typeof id === 'string' && presetCalled(id) !== undefined);
  }
  for (const quantity of sweepQuantities) {
    const values = isRecord(found.values) ? found.values[quantity] : undefined;
    if (typeof values === 'string') config.values[quantity] = values;
    const grid = isRecord(found.grids) ? found.grids[quantity] : undefined;
    if (isGrid(grid)) config.grids[quantity] = grid;
  }
  if (isRecord(found.lrs)) {
    const lrs = Object.entries(found.lrs).filter(([, lr]) => typeof lr === 'number');
    config.lrs = Object.fromEntries(lrs) as Record<string, number>;
  }
  if (typeof found.validationEvery === 'number') config.validationEvery = found.validationEvery;
  return config;
}

function isGrid(thing: unknown): thing is Grid {
  if (!isRecord(thing)) return false;
  const numbers = [thing.lowest, thing.highest, thing.points].every((value) => typeof value === 'number');
  return numbers && typeof thing.log === 'boolean';
}

function isRecord(thing: unknown): thing is Record<string, unknown> {
  return typeof thing === 'object' && thing !== null && !Array.isArray(thing);
}
