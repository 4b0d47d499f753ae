import { createStore, entries, promisifyRequest, type UseStore } from 'idb-keyval';
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
  // Committed at once: a page that is left in the next moment would take back what waits for more.
  const write = (change: (objects: IDBObjectStore) => void) =>
    attempt(() =>
      store()('readwrite', async (objects) => {
        change(objects);
        objects.transaction.commit();
        await promisifyRequest(objects.transaction);
        return null;
      }),
    );
  return {
    all: () => attempt(async () => (await entries(store())).map(([, found]) => found).filter(fits)),
    put: (values) =>
      write((objects) => {
        for (const [key, value] of values) objects.put(value, key);
      }),
    remove: (names) =>
      write((objects) => {
        for (const name of names) objects.delete(name);
      }),
    size: () =>
      attempt(async () => {
        const found = await entries(store());
        return found.length === 0 ? 0 : new Blob([JSON.stringify(found)]).size;
      }),
    clear: () => write((objects) => objects.clear()),
  };
}
