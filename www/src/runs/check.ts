import * as v from 'valibot';
import type { RunRecord } from './record';

/** A thin curve, as far as it is drawn. */
export const storedCurve = v.looseObject({
  steps: v.array(v.number()),
  values: v.array(v.nullable(v.number())),
});

/** What of a run is looked at before it is shown: versions before may have had less, and the rest is for reading. */
const storedRun = v.looseObject({
  id: v.string(),
  name: v.string(),
  model: v.string(),
  data: v.string(),
  when: v.number(),
  optimizer: v.looseObject({ betas: v.array(v.number()) }),
  session: v.looseObject({ targets: v.array(v.string()) }),
  dataSettings: v.looseObject({}),
  curve: storedCurve,
  validation: v.array(v.looseObject({})),
});

/** Whether something from storage is a run that this version can show. */
export function isRunRecord(thing: unknown): thing is RunRecord {
  return v.is(storedRun, thing);
}
