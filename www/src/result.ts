import type { Failure } from './protocol';

/** What came of an action: a value, or a failure that says where it belongs and what to do. */
export type Result<Value> = { ok: true; value: Value } | { ok: false; failure: Failure };

/** Success. */
export function success<Value>(value: Value): Result<Value> {
  return { ok: true, value };
}

/** Failure at `place`, and where it is about one, at `field`. */
export function failed(
  place: string,
  message: string,
  field: string | null = null,
): { ok: false; failure: Failure } {
  return { ok: false, failure: { place, field, message } };
}

/** Whether `thing` is a failure that the engine made on purpose. */
export function isFailure(thing: unknown): thing is Failure {
  return (
    typeof thing === 'object' &&
    thing !== null &&
    'place' in thing &&
    typeof thing.place === 'string' &&
    'message' in thing &&
    typeof thing.message === 'string'
  );
}

/** The words of anything that was thrown. */
export function wordsOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return typeof thrown === 'string' ? thrown : JSON.stringify(thrown);
}
