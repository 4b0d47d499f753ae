import { Attempt } from '../lab/attempt';
import { Rest } from '../lab/rest';
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

// Sliders rest longer than this only when nobody moves them.
const REST_MS = 15_000;

const nothing: TheoryState = { phase: 'starting', report: null, curves: [], seconds: 0, failure: null };

/** A worker of its own that trains the theory's methods: a new problem ends the one before. */
export class TheoryLab {
  readonly state = new Signal<TheoryState>(nothing);
  private readonly seat: Seat;
  /** The problem of now; reports of earlier ones are stale. */
  private attempt = new Attempt();

  /** After `restAfter` milliseconds without a problem its worker ends; another is there for the next one. */
  constructor(spawn: SpawnWorker, restAfter = REST_MS) {
    const rest = new Rest(restAfter, () => this.seat.kill('There is nothing to do.'));
    this.seat = new Seat('cpu', spawn, { onUse: () => rest.use(this.seat.busy) });
  }

  /** Ends the problem that is shown: another will come. */
  leave(): void {
    this.attempt.end();
    // Curves of before stay in sight until there are new ones: a moving slider would make the chart flicker.
    this.state.patch({ phase: 'starting', failure: null });
  }

  /** All curves once the problem has ended; null where it failed or was replaced by another. */
  async run(settings: TheorySettings): Promise<readonly MethodCurve[] | null> {
    this.leave();
    const attempt = new Attempt();
    this.attempt = attempt;
    const started = await this.seat.startEngine();
    if (attempt.over) return null;
    if (!started.ok) return this.fail(started.failure);
    let began: number | null = null;
    let curves: MethodCurve[] = [];
    const onReport = (report: TheoryReport) => {
      if (attempt.over) return;
      began ??= performance.now();
      curves = report.curves.map((news, index) => joined(curves[index], news));
      const ended = curves.length > 0 && curves.every(({ done }) => done);
      const phase = ended ? 'finished' : curves.length > 0 ? 'running' : 'searching';
      const seconds = (performance.now() - began) / 1000;
      this.state.set({ phase, report, curves, seconds, failure: null });
    };
    const answer = await this.seat.held.call((api) => api.theory(settings, onReport), {
      signal: attempt.signal,
    });
    if (attempt.over) return null;
    return answer.ok ? curves : this.fail(answer.failure);
  }

  private fail(failure: Failure): null {
    this.state.set({ ...nothing, phase: 'failed', failure });
    return null;
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
