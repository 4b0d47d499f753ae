import type { Failure, Progress } from '../protocol';

/** Something that is loaded on the user's wish: what is known of it at any moment. */
export type Loadable<Value> =
  | { status: 'none' }
  | { status: 'loading'; progress: Progress }
  | { status: 'ready'; value: Value }
  | { status: 'failed'; failure: Failure };

/** Its value, if it is there. */
export function readyValue<Value>(loadable: Loadable<Value>): Value | undefined {
  return loadable.status === 'ready' ? loadable.value : undefined;
}
