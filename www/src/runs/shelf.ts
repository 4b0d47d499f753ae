import { clear, createStore, delMany, entries, setMany, type UseStore } from 'idb-keyval';
import { failed, type Result, success, wordsOf } from '../result';

/** A place that keeps values under names. */
export interface Shelf<Value> {
  all(): Promise<Result<Value[]>>;
  put(values: readonly (readonly [string, Value])[]): Promise<Result<null>>;
  remove(names: readonly string[]): Promise<Result<null>>;
  /** Bytes of all that is there, about: what it takes as text. */
  size(): Promise<Result<number>>;
  /** Removes everything, also what this version cannot read. */
  clear(): Promise<Result<null>>;
}

/** One that the browser keeps for the next visit, in a database of its own. */
export function browserShelf<Value>(name: string, fits: (thing: unknown) => thing is Value): Shelf<Value> {
  let opened: UseStore | undefined;
  // Opened when it is needed: where storage is forbidden, that is where it says so.
  const store = () => {
    opened ??= createStore(`riemann-lora-${name}`, name);
    return opened;
  };
  const attempt = async <Answer>(action: () => Promise<Answer>): Promise<Result<Answer>> => {
    try {
      return success(await action());
    } catch (thrown) {
      // A database that did not open may open the next time.
      opened = undefined;
      return failed('runs', wordsOf(thrown));
    }
  };
  return {
    all: () => attempt(async () => (await entries(store())).map(([, found]) => found).filter(fits)),
    put: (values) =>
      attempt(async () => {
        await setMany(
          values.map(([key, value]) => [key, value]),
          store(),
        );
        return null;
      }),
    remove: (names) =>
      attempt(async () => {
        await delMany([...names], store());
        return null;
      }),
    size: () =>
      attempt(async () => {
        const found = await entries(store());
        return found.length === 0 ? 0 : new Blob([JSON.stringify(found)]).size;
      }),
    clear: () =>
      attempt(async () => {
        await clear(store());
        return null;
      }),
  };
}
