import type { Failure } from '../protocol';
import { Signal } from '../signal';
import type { RunRecord } from './record';
import type { Shelf } from './shelf';

/** More would make the table slow, and nobody reads them. */
export const MOST_RUNS = 500;

/** All runs that were trained in this browser, newest first. */
export class RunBook {
  readonly runs = new Signal<readonly RunRecord[]>([]);
  /** Why runs are not kept for the next visit. */
  readonly failure = new Signal<Failure | null>(null);
  /** What was done that the user did not ask for. */
  readonly notice = new Signal<string>('');

  constructor(private readonly shelf: Shelf<RunRecord>) {}

  /** Reads what earlier visits left. */
  async open(): Promise<void> {
    const found = await this.shelf.all();
    if (!found.ok) return this.refused(found.failure);
    const here = new Set(this.runs.value.map(({ id }) => id));
    const kept = found.value.filter(({ id }) => !here.has(id));
    this.runs.set(newestFirst([...this.runs.value, ...kept]));
  }

  async add(records: readonly RunRecord[]): Promise<void> {
    if (records.length === 0) return;
    const all = newestFirst([...records, ...this.runs.value]);
    const gone = all.slice(MOST_RUNS);
    this.runs.set(all.slice(0, MOST_RUNS));
    if (gone.length > 0) {
      this.notice.set(`Only the newest ${MOST_RUNS} runs are kept; the oldest ${gone.length} went.`);
      await this.forget(gone);
    }
    await this.keep(records);
  }

  /** Changes copies of the runs with these ids. */
  async change(ids: ReadonlySet<string>, edit: (run: RunRecord) => void): Promise<void> {
    const changed: RunRecord[] = [];
    this.runs.set(
      this.runs.value.map((run) => {
        if (!ids.has(run.id)) return run;
        const copy = { ...run };
        edit(copy);
        changed.push(copy);
        return copy;
      }),
    );
    await this.keep(changed);
  }

  /** Takes runs out, and answers them, so that they can be put back. */
  async remove(ids: ReadonlySet<string>): Promise<RunRecord[]> {
    const gone = this.runs.value.filter(({ id }) => ids.has(id));
    this.runs.set(this.runs.value.filter(({ id }) => !ids.has(id)));
    await this.forget(gone);
    return gone;
  }

  private async keep(records: readonly RunRecord[]): Promise<void> {
    const answer = await this.shelf.put(records.map((record) => [record.id, record]));
    if (answer.ok) this.failure.set(null);
    else this.refused(answer.failure);
  }

  private async forget(records: readonly RunRecord[]): Promise<void> {
    if (records.length === 0) return;
    const answer = await this.shelf.remove(records.map(({ id }) => id));
    if (!answer.ok) this.refused(answer.failure);
  }

  private refused({ message }: Failure): void {
    this.failure.set({
      place: 'runs',
      field: null,
      message:
        `This browser does not keep runs (${message}). They stay here until the page is closed; ` +
        'free some of its storage, or leave the private window, to keep those that come.',
    });
  }
}

function newestFirst(runs: RunRecord[]): RunRecord[] {
  return runs.sort((one, other) => (one.id < other.id ? 1 : -1));
}
