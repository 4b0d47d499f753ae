import type { Failure } from '../protocol';
import { Signal } from '../signal';
import type { RunRecord } from './record';
import type { Shelf } from './shelf';
import { ShelvedBook } from './shelved-book';

/** More would make the table slow, and nobody reads them. */
export const MOST_RUNS = 500;

/** All runs that were trained in this browser, newest first. */
export class RunBook extends ShelvedBook<RunRecord> {
  readonly runs = this.values;
  /** What was done that the user did not ask for. */
  readonly notice = new Signal<string>('');

  constructor(shelf: Shelf<RunRecord>) {
    const order = (one: RunRecord, other: RunRecord) => (one.id < other.id ? 1 : -1);
    super(shelf, { nameOf: ({ id }) => id, order, merge: (_, added) => added, refusal });
  }

  override async add(records: readonly RunRecord[]): Promise<void> {
    if (records.length === 0) return;
    await super.add(records);
    const gone = new Set(this.runs.value.slice(MOST_RUNS));
    if (gone.size === 0) return;
    this.notice.set(`Only the newest ${MOST_RUNS} runs are kept; the oldest ${gone.size} went.`);
    await this.takeOut((run) => gone.has(run));
  }

  /** Changes copies of the runs with these ids. */
  async change(ids: ReadonlySet<string>, change: (run: RunRecord) => void): Promise<void> {
    await this.edit(ids, (run) => {
      const copy = { ...run };
      change(copy);
      return copy;
    });
  }

  /** Takes runs out, and answers them, so that they can be put back. */
  remove(ids: ReadonlySet<string>): Promise<RunRecord[]> {
    return this.takeOut(({ id }) => ids.has(id));
  }
}

function refusal(reason: string): Failure {
  return {
    place: 'runs',
    field: null,
    message:
      `This browser does not keep runs (${reason}). They stay here until the page is closed; ` +
      'free some of its storage, or leave the private window, to keep those that come.',
  };
}
