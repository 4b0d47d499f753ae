import { Seat } from '../lab/seat';
import type { SpawnWorker } from '../lab/worker-link';
import type { Failure, TheoryCurve, TheoryReport, TheorySettings } from '../protocol';
import { Signal } from '../signal';

/** One method so far. */
export type MethodCurve = TheoryCurve;

/** What is known of the problem that is shown. */
export interface TheoryState {
  phase: 'starting' | 'searching' | 'running' | 'finished' | 'failed';
  report: TheoryReport | null;
  /** All points so far; the report has only the last ones. */
  curves: readonly MethodCurve[];
  /** From the first report to the last, in seconds. */
  seconds: number;
  failure: Failure | null;
}

const nothing: TheoryState = { phase: 'starting', report: null, curves: [], seconds: 0, failure: null };

/** A worker of its own that trains the theory's methods: a new problem ends the one before. */
export class TheoryLab {
  readonly state = new Signal<TheoryState>(nothing);
  private readonly seat: Seat;
  /** Counts problems; reports of earlier ones are stale. */
  private asked = 0;

  constructor(spawn: SpawnWorker) {
    this.seat = new Seat('cpu', spawn);
  }

  /** Resolves when the problem has ended, or was replaced by another. */
  async run(settings: TheorySettings): Promise<void> {
    this.asked += 1;
    const mine = this.asked;
    const current = () => mine === this.asked;
    this.seat.cancel();
    // Curves of before stay in sight until there are new ones: a moving slider would make the chart flicker.
    this.state.patch({ phase: 'starting', failure: null });
    const started = await this.seat.startEngine();
    if (!current()) return;
    if (!started.ok) return this.fail(started.failure);
    let began: number | null = null;
    let curves: MethodCurve[] = [];
    const onReport = (report: TheoryReport) => {
      // The request to cancel may have come before this problem began.
      if (!current()) return this.seat.cancel();
      began ??= performance.now();
      curves = report.curves.map((news, index) => joined(curves[index], news));
      const ended = curves.length > 0 && curves.every(({ done }) => done);
      const phase = ended ? 'finished' : curves.length > 0 ? 'running' : 'searching';
      const seconds = (performance.now() - began) / 1000;
      this.state.set({ phase, report, curves, seconds, failure: null });
    };
    const answer = await this.seat.call((api) =>
      current() ? api.theory(settings, onReport) : Promise.resolve({ ok: true as const, value: null }),
    );
    if (current() && !answer.ok) this.fail(answer.failure);
  }

  private fail(failure: Failure): void {
    this.state.set({ ...nothing, phase: 'failed', failure });
  }
}

/** The points of before and the new ones. */
function joined(before: MethodCurve | undefined, news: TheoryCurve): MethodCurve {
  if (before === undefined) return news;
  return {
    ...news,
    iterations: [...before.iterations, ...news.iterations],
    errors: [...before.errors, ...news.errors],
  };
}
