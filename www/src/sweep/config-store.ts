import * as v from 'valibot';
import { presetCalled } from '../config/presets';
import { recall, rememberSoon } from '../store/remembered';
import { defaultSweep, type SweepConfig, type SweepQuantity, sweepQuantities } from './config';

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

const grid = v.object({ lowest: v.number(), highest: v.number(), points: v.number(), log: v.boolean() });

/** Reads what may be of any origin. */
export function readSweep(found: unknown): SweepConfig {
  const config = defaultSweep();
  const { grids, values } = config;
  const stored = v.object({
    quantity: v.fallback(v.picklist(sweepQuantities), config.quantity),
    methods: v.fallback(v.pipe(v.array(v.unknown()), v.transform(knownPresets)), config.methods),
    grids: ofEach(grid, grids),
    values: ofEach(v.string(), values),
    lrs: v.fallback(v.pipe(v.record(v.string(), v.unknown()), v.transform(numbersOf)), {}),
    seeds: v.fallback(v.number(), config.seeds),
    validationEvery: v.fallback(v.number(), config.validationEvery),
  });
  return v.parse(v.fallback(stored, config), found);
}

/** Something of each quantity. */
function ofEach<Value>(
  schema: v.GenericSchema<unknown, Value>,
  { lr, rank, damping }: Record<SweepQuantity, Value>,
) {
  const entries = {
    lr: v.fallback(schema, lr),
    rank: v.fallback(schema, rank),
    damping: v.fallback(schema, damping),
  };
  return v.fallback(v.object(entries), { lr, rank, damping });
}

function knownPresets(ids: unknown[]): string[] {
  return ids.filter((id) => typeof id === 'string').filter((id) => presetCalled(id) !== undefined);
}

function numbersOf(lrs: Record<string, unknown>): Record<string, number> {
  const numbers = Object.entries(lrs).flatMap(([id, lr]) =>
    typeof lr === 'number' ? [[id, lr] as const] : [],
  );
  return Object.fromEntries(numbers);
}
