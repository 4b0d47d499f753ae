import type { Failure } from '../protocol';
import type { Shelf } from '../runs/shelf';
import { ShelvedBook } from '../runs/shelved-book';
import { Signal } from '../signal';
import { isOf } from './plan';
import type { SweepRecord } from './record';

/** More would fill the browser with curves that nobody looks at. */
export const MOST_SWEEPS = 12;

/** Sweeps of this browser, the one that was trained last first. */
export class SweepBook extends ShelvedBook<SweepRecord> {
  readonly sweeps = this.values;
  /** What was done that the user did not ask for. */
  readonly notice = new Signal<string>('');

  constructor(shelf: Shelf<SweepRecord>) {
    const order = (one: SweepRecord, other: SweepRecord) => other.when - one.when;
    super(shelf, { nameOf: ({ key }) => key, order, merge: mergeResults, refusal });
  }

  /** Adds results to what is there of the same sweep, also from other tabs. */
  async put(record: SweepRecord): Promise<void> {
    await this.add([record]);
    const gone = new Set(this.sweeps.value.slice(MOST_SWEEPS));
    if (gone.size === 0) return;
    this.notice.set(`Results of the last ${MOST_SWEEPS} sweeps are kept; the oldest ${gone.size} went.`);
    await this.takeOut((sweep) => gone.has(sweep));
  }

  /** Takes a sweep out, and answers it, so that it can be put back. */
  async remove(key: string): Promise<SweepRecord | null> {
    const [gone = null] = await this.takeOut((sweep) => sweep.key === key);
    return gone;
  }
}

/** All results of both, each point once. */
function mergeResults(before: SweepRecord, added: SweepRecord): SweepRecord {
  const missing = added.results.filter((result) => !before.results.some((one) => isOf(one, result)));
  return {
    ...before,
    baseLoss: before.baseLoss ?? added.baseLoss,
    results: [...before.results, ...missing],
    when: Math.max(before.when, added.when),
  };
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
