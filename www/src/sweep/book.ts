import type { Failure } from '../protocol';
import type { Shelf } from '../runs/shelf';
import { Signal } from '../signal';
import type { SweepRecord } from './record';

/** More would fill the browser with curves that nobody looks at. */
export const MOST_SWEEPS = 12;

/** Sweeps of this browser, the one that was trained last first. */
export class SweepBook {
  readonly sweeps = new Signal<readonly SweepRecord[]>([]);
  /** Why results are not kept for the next visit. */
  readonly failure = new Signal<Failure | null>(null);

  constructor(private readonly shelf: Shelf<SweepRecord>) {}

  /** Reads what earlier visits left. */
  async open(): Promise<void> {
    const found = await this.shelf.all();
    if (!found.ok) return this.refused(found.failure);
    const here = new Set(this.sweeps.value.map(({ key }) => key));
    const kept = found.value.filter(({ key }) => !here.has(key));
    this.sweeps.set(lastFirst([...this.sweeps.value, ...kept]));
  }

  find(key: string): SweepRecord | undefined {
    return this.sweeps.value.find((sweep) => sweep.key === key);
  }

  /** Puts a sweep in the place of what it was before. */
  async put(record: SweepRecord): Promise<void> {
    const all = lastFirst([record, ...this.sweeps.value.filter(({ key }) => key !== record.key)]);
    this.sweeps.set(all.slice(0, MOST_SWEEPS));
    const kept = await this.shelf.put([[record.key, record]]);
    if (!kept.ok) return this.refused(kept.failure);
    this.failure.set(null);
    await this.forget(all.slice(MOST_SWEEPS));
  }

  async remove(key: string): Promise<void> {
    const gone = this.sweeps.value.filter((sweep) => sweep.key === key);
    this.sweeps.set(this.sweeps.value.filter((sweep) => sweep.key !== key));
    await this.forget(gone);
  }

  private async forget(records: readonly SweepRecord[]): Promise<void> {
    if (records.length === 0) return;
    const answer = await this.shelf.remove(records.map(({ key }) => key));
    if (!answer.ok) this.refused(answer.failure);
  }

  private refused({ message }: Failure): void {
    this.failure.set({
      place: 'sweep',
      field: null,
      message:
        `This browser does not keep results (${message}). They stay here until the page is closed; ` +
        'free some of its storage, or leave the private window, to keep them.',
    });
  }
}

function lastFirst(sweeps: SweepRecord[]): SweepRecord[] {
  return sweeps.sort((one, other) => other.when - one.when);
}
