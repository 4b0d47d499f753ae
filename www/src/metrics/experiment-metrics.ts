import type { EvaluationReport, StepReport, StepTimes } from '../protocol';
import { Pace } from './pace';
import { RunSeries } from './run-series';

/** What one worker said last. */
interface WorkerState {
  step: number;
  seconds: StepTimes;
  /** The same of the last step alone. */
  last: StepTimes;
  /** Tokens of a batch, times runs. */
  tokens: number;
  memory: number;
}

// Shares of a step's time are averaged, so that the bar does not flicker.
const TIME_WEIGHT = 0.8;

/** All curves and readouts of one training. */
export class ExperimentMetrics {
  readonly runs: RunSeries[];
  readonly pace = new Pace();
  private readonly workers = new Map<number, WorkerState>();
  private slowest = 0;

  constructor(
    runs: number,
    readonly steps: number,
  ) {
    this.runs = Array.from({ length: runs }, () => new RunSeries());
  }

  /** A step of the worker that holds the runs of these indices. */
  recordStep(runs: readonly number[], report: StepReport, now: number, workers: number): void {
    report.runs.forEach((run, index) => {
      this.runs[runs[index] ?? -1]?.record(report.step, run);
    });
    const key = runs[0] ?? 0;
    const before = this.workers.get(key);
    this.workers.set(key, {
      step: report.step,
      seconds: before === undefined ? report.seconds : blend(before.seconds, report.seconds),
      last: report.seconds,
      tokens: report.tokens * runs.length,
      memory: report.memory_bytes,
    });
    if (this.workers.size < workers) return;
    const slowest = Math.min(...[...this.workers.values()].map((worker) => worker.step));
    if (slowest > this.slowest) this.pace.record(now);
    this.slowest = slowest;
  }

  recordEvaluation(runs: readonly number[], report: EvaluationReport): void {
    report.losses.forEach((loss, index) => {
      this.runs[runs[index] ?? -1]?.recordValidation(report.step, loss);
    });
  }

  /** The step that at least one run has done. */
  get step(): number {
    return Math.max(0, ...this.runs.map((run) => run.losses.length));
  }

  /** Seconds a step of the slowest worker, by what was done in them. */
  get stepTimes(): StepTimes | null {
    const states = [...this.workers.values()];
    if (states.length === 0) return null;
    return states.reduce((slow, state) => (state.seconds.total > slow.seconds.total ? state : slow)).seconds;
  }

  /** Where the last step of the worker whose first run is `run` went. */
  lastTimes(run: number): StepTimes | undefined {
    return this.workers.get(run)?.last;
  }

  /** Tokens of all runs a second of wall time; null before the second step. */
  get tokensPerSecond(): number | null {
    const seconds = this.pace.secondsPerStep;
    if (seconds === null || seconds === 0) return null;
    return this.sum((worker) => worker.tokens) / seconds;
  }

  /** Bytes of all workers. */
  get memory(): number {
    return this.sum((worker) => worker.memory);
  }

  private sum(of: (worker: WorkerState) => number): number {
    return [...this.workers.values()].reduce((sum, worker) => sum + of(worker), 0);
  }
}

function blend(before: StepTimes, now: StepTimes): StepTimes {
  const mix = (key: keyof StepTimes) => TIME_WEIGHT * before[key] + (1 - TIME_WEIGHT) * now[key];
  return {
    forward: mix('forward'),
    backward: mix('backward'),
    precondition: mix('precondition'),
    update: mix('update'),
    total: mix('total'),
  };
}
