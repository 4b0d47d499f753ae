import * as v from 'valibot';
import { readyValue } from '../lab/loadable';
import type { App } from '../language/app';
import type { ValidationPoint } from '../metrics/run-series';
import type { ThinCurve } from '../metrics/thin';
import type { DataSettings, SessionSettings } from '../protocol';
import { storedCurve } from '../runs/check';
import { count, plural } from '../words/numbers';
import type { SweepQuantity } from './config';

/** A run of a sweep that has finished or diverged. */
export interface SweptRun {
  /** Id of the preset. */
  method: string;
  /** Of what was varied. */
  value: number;
  lr: number;
  /** Which training of the same run it is, as its point says; missing is the first. */
  repeat?: number;
  /** After the last step; null where it diverged. */
  validationLoss: number | null;
  divergedAt: number | null;
  curve: ThinCurve;
  validation: ValidationPoint[];
}

/** What all runs of a sweep share. */
export interface SweepBasis {
  quantity: SweepQuantity;
  model: { name: string; parameters: number };
  data: { name: string; bytes: number; settings: DataSettings };
  /** The file that is measured on; missing where that is a part of the data. */
  validation?: { name: string; bytes: number };
  session: Omit<SessionSettings, 'runs'>;
  /** Name of the adapter that runs start from; null is fresh ones. */
  start: string | null;
}

/** A sweep and what came out of it so far. */
export interface SweepRecord {
  /** Equal for sweeps whose runs belong into one chart. */
  key: string;
  basis: SweepBasis;
  /** Validation loss before any step. */
  baseLoss: number | null;
  results: SweptRun[];
  /** When it was trained last. */
  when: number;
}

/** What a sweep of now would be of; undefined without model or data. */
export function basisOf(app: App, quantity: SweepQuantity): SweepBasis | undefined {
  const model = readyValue(app.lab.model.value);
  const source = app.dataSource.value;
  if (model === undefined || readyValue(app.lab.data.value) === undefined || source === null)
    return undefined;
  const { session, data } = app.config.value;
  const held = app.validationSource.value;
  return structuredClone({
    quantity,
    model: { name: model.name, parameters: model.parameters },
    data: { name: source.name, bytes: source.blob.size, settings: data },
    ...(held === null ? {} : { validation: { name: held.name, bytes: held.blob.size } }),
    // What is measured beside the losses changes none of them.
    session: { ...session, diagnostics: false },
    start: app.lab.startAdapter.value?.name ?? null,
  });
}

/** Equal for bases whose runs can be compared; a varied rank is no part of it. */
export function keyOf(basis: SweepBasis): string {
  const { quantity, session } = basis;
  // Sweeps that were kept before there were these settings are without them.
  const { use_rslora, layer_diagnostics: _, ...plain } = session;
  const own = use_rslora ? { ...plain, use_rslora } : plain;
  return JSON.stringify({ ...basis, session: quantity === 'rank' ? { ...own, rank: 0 } : own });
}

/** Without results yet. */
export function newRecord(basis: SweepBasis): SweepRecord {
  return { key: keyOf(basis), basis, baseLoss: null, results: [], when: 0 };
}

/** What a sweep was or would be trained on and with, in a line. */
export function basisWords({ quantity, model, data, validation, session, start }: SweepBasis): string {
  const scale =
    quantity === 'rank' ? `alpha ${session.alpha}` : `rank ${session.rank}, alpha ${session.alpha}`;
  return [
    model.name,
    data.name,
    ...(validation === undefined ? [] : [`measured on ${validation.name}`]),
    scale,
    ...(session.use_rslora ? ['rsLoRA'] : []),
    session.targets.join(' '),
    `batch ${session.batch_size}`,
    plural(session.steps, 'step'),
    `seed ${count(session.seed)}`,
    ...(start === null ? [] : [`from ${start}`]),
  ].join(' · ');
}

const storedSweep = v.looseObject({
  key: v.string(),
  when: v.number(),
  basis: v.looseObject({
    session: v.looseObject({ targets: v.array(v.string()) }),
    model: v.looseObject({ name: v.string() }),
    data: v.looseObject({ name: v.string() }),
  }),
  results: v.array(v.looseObject({ method: v.string(), value: v.number(), curve: storedCurve })),
});

/** Whether something from storage is a sweep that this version can show. */
export function isSweepRecord(thing: unknown): thing is SweepRecord {
  return v.is(storedSweep, thing);
}
