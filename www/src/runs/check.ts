import type { RunRecord } from './record';

/** Whether something from storage is a run that this version can show. */
export function isRunRecord(thing: unknown): thing is RunRecord {
  if (typeof thing !== 'object' || thing === null) return false;
  const run = thing as Partial<RunRecord>;
  const words = [run.id, run.name, run.model, run.data].every((word) => typeof word === 'string');
  const parts = [run.optimizer, run.session, run.dataSettings, run.curve];
  return (
    words &&
    typeof run.when === 'number' &&
    parts.every((part) => typeof part === 'object' && part !== null) &&
    Array.isArray(run.curve?.steps) &&
    Array.isArray(run.curve.values) &&
    Array.isArray(run.validation) &&
    Array.isArray(run.session?.targets) &&
    Array.isArray(run.optimizer?.betas)
  );
}
