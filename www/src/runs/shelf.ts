import { createStore, entries, promisifyRequest, type UseStore } from 'idb-keyval';
import { failed, type Result, success, wordsOf } from '../result';
import type { BrowserTabs } from '../store/browser-tabs';

/** Makes of what is there under a name what shall be there; undefined is nothing. */
export type Edit<Value> = (before: Value | undefined) => Value | undefined;

/** A place that keeps values under names, for all tabs. */
export interface Shelf<Value> {
  all(): Promise<Result<Value[]>>;
  /** Edits what is there, undisturbed by other tabs, and answers what is there then. */
  edit(edits: ReadonlyMap<string, Edit<Value>>): Promise<Result<Map<string, Value | undefined>>>;
  /** Bytes of all that is there, about: what it takes as text. */
  size(): Promise<Result<number>>;
  /** Removes everything, also what this version cannot read. */
  clear(): Promise<Result<null>>;
  /** Calls `reader` when another tab has changed something. */
  listen(reader: () => void): void;
}

/** One that the browser keeps for the next visit, in a database of its own. */
export function browserShelf<Value>(
  name: string,
  fits: (thing: unknown) => thing is Value,
  tabs: BrowserTabs,
): Shelf<Value> {
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
  /** One transaction, which the browser keeps apart from those of other tabs. */
  const write = <Answer>(change: (objects: IDBObjectStore) => Promise<Answer>) =>
    attempt(async () => {
      const answer = await store()('readwrite', async (objects) => {
        const changed = await change(objects);
        // At once: a page that is left in the next moment would take back what waits for more.
        objects.transaction.commit();
        await promisifyRequest(objects.transaction);
        return changed;
      });
      tabs.tell(name);
      return answer;
    });
  return {
    all: () => attempt(async () => (await entries(store())).map(([, found]) => found).filter(fits)),
    edit: (edits) =>
      write(async (objects) => {
        const after = new Map<string, Value | undefined>();
        await Promise.all(
          [...edits].map(async ([key, edit]) => {
            const found: unknown = await promisifyRequest(objects.get(key));
            const value = edit(fits(found) ? found : undefined);
            after.set(key, value);
            if (value === undefined) objects.delete(key);
            else objects.put(value, key);
          }),
        );
        return after;
      }),
    size: () =>
      attempt(async () => {
        const found = await entries(store());
        return found.length === 0 ? 0 : new Blob([JSON.stringify(found)]).size;
      }),
    clear: () =>
      write(async (objects) => {
        objects.clear();
        return null;
      }),
    listen: (reader) => tabs.listen(name, reader),
  };
}
