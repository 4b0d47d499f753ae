import type { RunConfig } from '../config/config';
import type { EngineName } from '../engine/engine-module';
import type { RunSeries, ValidationPoint } from '../metrics/run-series';
import { type ThinCurve, thin, thinPoints } from '../metrics/thin';
import type { DataSettings, OptimizerSettings, SessionSettings } from '../protocol';

/** What a run was trained on and with, beside its own optimizer. */
export interface RunContext {
  model: string;
  data: string;
  dataSettings: DataSettings;
  session: Omit<SessionSettings, 'runs'>;
  /** `peft` is an exported script, elsewhere. */
  engine: EngineName | 'peft';
  /** Name of the adapter that it started from; null is a fresh one. */
  start: string | null;
  origin: 'training' | 'sweep';
}

/** A run that was trained in this browser, or opened in it. */
export interface RunRecord extends RunContext {
  id: string;
  name: string;
  /** Left out of the table until the user asks for it. */
  hidden: boolean;
  /** Milliseconds since 1970, at its end. */
  when: number;
  optimizer: OptimizerSettings;
  stepsDone: number;
  firstLoss: number | null;
  lastLoss: number | null;
  validationLoss: number | null;
  divergedAt: number | null;
  /** Training losses. */
  curve: ThinCurve;
  validation: ValidationPoint[];
}

/** What is kept of a run; undefined before its first step. */
export function recordOf(
  { name, optimizer }: Pick<RunConfig, 'name' | 'optimizer'>,
  series: RunSeries,
  context: RunContext,
  when: number,
): RunRecord | undefined {
  if (series.firstLoss === null && series.divergedAt === null) return undefined;
  return {
    ...structuredClone(context),
    id: freshId(when),
    name,
    hidden: false,
    when,
    optimizer: structuredClone(optimizer),
    stepsDone: series.divergedAt ?? series.losses.length,
    firstLoss: series.firstLoss,
    lastLoss: series.lastLoss,
    validationLoss: series.lastValidation?.loss ?? null,
    divergedAt: series.divergedAt,
    curve: thin(series.losses),
    validation: thinPoints(series.validation),
  };
}

let counter = 0;

/** Ids in the order of the runs: two tabs may train at once, so a number alone would not do. */
function freshId(when: number): string {
  counter += 1;
  const chance = Math.random().toString(36).slice(2, 8);
  return `${when.toString().padStart(14, '0')}-${counter.toString().padStart(6, '0')}-${chance}`;
}
