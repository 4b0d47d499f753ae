import type { Failure } from '../protocol';
import { Kept } from '../runs/kept';
import type { Shelf } from '../runs/shelf';
import { Signal } from '../signal';
import type { SweepRecord } from './record';

/** More would fill the browser with curves that nobody looks at. */
export const MOST_SWEEPS = 12;

/** Sweeps of this browser, the one that was trained last first. */
export class SweepBook {
  readonly sweeps = new Signal<readonly SweepRecord[]>([]);

  private readonly kept: Kept<SweepRecord>;

  constructor(shelf: Shelf<SweepRecord>) {
    this.kept = new Kept(shelf, ({ key }) => key, refusal);
  }

  /** Why results are not kept for the next visit. */
  get failure(): Signal<Failure | null> {
    return this.kept.failure;
  }

  /** Reads what earlier visits left. */
  async open(): Promise<void> {
    const others = await this.kept.others(this.sweeps.value);
    this.sweeps.set(lastFirst([...this.sweeps.value, ...others]));
  }

  find(key: string): SweepRecord | undefined {
    return this.sweeps.value.find((sweep) => sweep.key === key);
  }

  /** Puts a sweep in the place of what it was before. */
  async put(record: SweepRecord): Promise<void> {
    const all = lastFirst([record, ...this.sweeps.value.filter(({ key }) => key !== record.key)]);
    this.sweeps.set(all.slice(0, MOST_SWEEPS));
    if (await this.kept.keep([record])) await this.kept.forget(all.slice(MOST_SWEEPS));
  }

  async remove(key: string): Promise<void> {
    const gone = this.sweeps.value.filter((sweep) => sweep.key === key);
    this.sweeps.set(this.sweeps.value.filter((sweep) => sweep.key !== key));
    await this.kept.forget(gone);
  }
}

function refusal(reason: string): Failure {
  return {
    place: 'sweep',
    field: null,
    message:
      `This browser does not keep results (${reason}). They stay here until the page is closed; ` +
      'free some of its storage, or leave the private window, to keep them.',
  };
}

function lastFirst(sweeps: SweepRecord[]): SweepRecord[] {
  return sweeps.sort((one, other) => other.when - one.when);
}
