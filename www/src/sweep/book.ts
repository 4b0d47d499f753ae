import type { Failure } from '../protocol';
import type { Shelf } from '../runs/shelf';
import { ShelvedBook } from '../runs/shelved-book';
import type { SweepRecord } from './record';

/** More would fill the browser with curves that nobody looks at. */
export const MOST_SWEEPS = 12;

/** Sweeps of this browser, the one that was trained last first. */
export class SweepBook extends ShelvedBook<SweepRecord> {
  readonly sweeps = this.values;

  constructor(shelf: Shelf<SweepRecord>) {
    super(shelf, { nameOf: ({ key }) => key, order: (one, other) => other.when - one.when, refusal });
  }

  find(key: string): SweepRecord | undefined {
    return this.sweeps.value.find((sweep) => sweep.key === key);
  }

  /** Puts a sweep in the place of what it was before. */
  async put(record: SweepRecord): Promise<void> {
    const all = this.ordered([record, ...this.sweeps.value.filter(({ key }) => key !== record.key)]);
    this.sweeps.set(all.slice(0, MOST_SWEEPS));
    if (await this.keep([record])) await this.forget(all.slice(MOST_SWEEPS));
  }

  async remove(key: string): Promise<void> {
    await this.takeOut((sweep) => sweep.key === key);
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
