import type { Reply } from '../engine/worker-api';
import type { EvaluationReport, Failure, SessionSettings, StepReport } from '../protocol';
import { type Held, notAsked, type Terms } from './seat';
import { stepOn } from './shards';
import type { Trainee } from './trainee';

/** What to train, and how often to look. 0 is never. */
export interface TrainingPlan {
  settings: SessionSettings;
  validationEvery: number;
  checkpointEvery: number;
}

export type TrainingPhase = 'running' | 'pausing' | 'paused' | 'finished' | 'stopped' | 'failed';

/** What a training tells. */
export interface TrainingHooks {
  onStep(trainee: Trainee, report: StepReport): void;
  onEvaluation(trainee: Trainee, report: EvaluationReport): void;
  onCheckpoint?: ((trainee: Trainee) => void) | undefined;
  onActivity(words: string): void;
  onPhase(phase: TrainingPhase): void;
  onFailure(failure: Failure): void;
  /** Makes a new worker take over from the one of that generation; `false` ends the training. */
  recover(trainee: Trainee, generation: number, failure: Failure): Promise<boolean>;
}

// Workers wait for each other so that curves grow together; one step ahead absorbs jitter.
const STEPS_AHEAD = 1;

/** Drives all workers step by step. Nothing runs in a worker that was not asked for here, so pausing is not asking. */
export class Training {
  phase: TrainingPhase = 'running';
  private target: number;
  private waiting: (() => void)[] = [];
  /** Ends what it asked of workers. */
  private readonly quit = new AbortController();

  constructor(
    readonly plan: TrainingPlan,
    readonly trainees: readonly Trainee[],
    private readonly hooks: TrainingHooks,
    /** Pause after the first step. */
    singleStep = false,
  ) {
    this.target = singleStep ? Math.min(1, plan.settings.steps) : plan.settings.steps;
    if (singleStep) this.phase = 'pausing';
  }

  /** Trains to the end; resolves when finished, stopped or failed. */
  async run(): Promise<void> {
    this.hooks.onPhase(this.phase);
    await Promise.all(this.trainees.map((trainee) => this.drive(trainee)));
    if (!this.over) this.setPhase('finished');
    else if (this.phase === 'stopped') await this.keepAll();
  }

  get step(): number {
    return Math.max(...this.trainees.map((trainee) => trainee.step));
  }

  pause(): void {
    if (this.phase !== 'running') return;
    // What was asked for is done, and slower workers catch up, so that a pause shows all runs at one step.
    this.target = Math.max(...this.trainees.map((trainee) => trainee.asked));
    this.setPhase('pausing');
    this.settle();
  }

  resume(): void {
    if (this.phase !== 'paused' && this.phase !== 'pausing') return;
    this.target = this.plan.settings.steps;
    this.setPhase('running');
    this.wake();
  }

  stepOnce(): void {
    if (this.phase !== 'paused') return;
    this.target = Math.min(this.step + 1, this.plan.settings.steps);
    this.setPhase('pausing');
    this.wake();
  }

  /** Makes a checkpoint of every worker as soon as it has done its step; not where checkpoints are off. */
  checkpointNow(): void {
    if (this.plan.checkpointEvery === 0 || this.over) return;
    for (const trainee of this.trainees) trainee.checkpointWanted = true;
    this.wake();
  }

  stop(): void {
    if (this.over) return;
    this.setPhase('stopped');
    this.quit.abort();
    this.wake();
  }

  /** A worker came back, at an earlier step maybe. */
  wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private get over(): boolean {
    return this.phase === 'finished' || this.phase === 'stopped' || this.phase === 'failed';
  }

  private setPhase(phase: TrainingPhase): void {
    this.phase = phase;
    this.hooks.onPhase(phase);
  }

  private isDone(trainee: Trainee): boolean {
    return trainee.ended || trainee.step >= this.plan.settings.steps;
  }

  private settle(): void {
    const reached = this.trainees.every((trainee) => trainee.ended || trainee.step >= this.target);
    if (this.phase === 'pausing' && reached && this.target < this.plan.settings.steps)
      this.setPhase('paused');
  }

  private mayStep(trainee: Trainee): boolean {
    if (this.isDone(trainee)) return false;
    const active = this.trainees.filter((other) => !other.ended);
    const slowest = Math.min(...active.map((other) => other.step));
    return trainee.step < this.target && trainee.step <= slowest + STEPS_AHEAD;
  }

  private async drive(trainee: Trainee): Promise<void> {
    if (trainee.step === 0 && !(await this.evaluate(trainee, 'until measured'))) return;
    // One that is done waits for the others: a worker that a question costs its life may set it back.
    while (!this.over && !this.trainees.every((other) => this.isDone(other))) {
      if (trainee.checkpointWanted) {
        if (!(await this.checkpoint(trainee))) return;
        continue;
      }
      if (!this.mayStep(trainee)) {
        await new Promise<void>((resolve) => this.waiting.push(resolve));
        continue;
      }
      trainee.asked = trainee.step + 1;
      const report = await this.ask(trainee, (workers, terms) => stepOn(workers, terms));
      if (report === null) return;
      if (report === 'again') continue;
      if (this.phase === 'failed') return;
      // Stopped meanwhile, the worker has done it all the same: its checkpoint is of this step.
      trainee.step = report.step;
      trainee.ended = report.runs.every((run) => run.diverged_at !== null);
      this.hooks.onStep(trainee, report);
      this.wake();
      if (this.over || !(await this.afterStep(trainee))) return;
      this.settle();
    }
    this.wake();
  }

  private async afterStep(trainee: Trainee): Promise<boolean> {
    const { validationEvery, checkpointEvery } = this.plan;
    const last = this.isDone(trainee);
    const due = validationEvery > 0 && (trainee.step % validationEvery === 0 || last);
    if (due && !(await this.evaluate(trainee))) return false;
    // After the evaluation, so that a curve which goes on from here lacks none.
    if (checkpointEvery === 0 || this.over) return true;
    return trainee.step % checkpointEvery === 0 || last ? this.checkpoint(trainee) : true;
  }

  private async checkpoint(trainee: Trainee): Promise<boolean> {
    const { step } = trainee;
    trainee.checkpointWanted = false;
    if (trainee.checkpoint?.step === step) return true;
    const bytes = await this.ask(trainee, ([first], terms) => first.call((api) => api.checkpoint(), terms));
    if (bytes === null) return false;
    if (bytes === 'again' || this.over) return true;
    trainee.checkpoint = { step, bytes };
    this.hooks.onCheckpoint?.(trainee);
    return true;
  }

  /** What a training that was stopped has learned since its last checkpoint is not lost either. */
  private async keepAll(): Promise<void> {
    if (this.plan.checkpointEvery === 0) return;
    const keep = async (trainee: Trainee) => {
      const [worker] = trainee.workers;
      const { step, generation } = trainee;
      if (worker === undefined || step === 0 || trainee.checkpoint?.step === step) return;
      const answer = await worker.call((api) => api.checkpoint());
      if (!answer.ok || trainee.generation !== generation) return;
      trainee.checkpoint = { step, bytes: answer.value };
      this.hooks.onCheckpoint?.(trainee);
    };
    await Promise.all(this.trainees.map(keep));
  }

  /** `until measured`, it measures again where a worker was lost meanwhile: no step will come back to this one. */
  private async evaluate(trainee: Trainee, how: 'once' | 'until measured' = 'once'): Promise<boolean> {
    while (this.plan.validationEvery > 0 && !this.over) {
      const report = await this.ask(trainee, ([first], terms) =>
        first.call(
          (api) =>
            api.evaluate(({ action, done, total }) =>
              this.hooks.onActivity(`${action}, ${done} of ${total}`),
            ),
          terms,
        ),
      );
      this.hooks.onActivity('');
      if (report === null) return false;
      if (report === 'again' && how === 'until measured') continue;
      if (report !== 'again') this.hooks.onEvaluation(trainee, report);
      return true;
    }
    return true;
  }

  /** The answer; `again` after a new worker took over; null when the training is over. */
  private async ask<Value>(
    trainee: Trainee,
    question: (workers: [Held, ...Held[]], terms: Terms) => Promise<Reply<Value>>,
  ): Promise<Value | 'again' | null> {
    const { generation } = trainee;
    const [first, ...others] = trainee.workers;
    const terms = { signal: this.quit.signal };
    const answer = first === undefined ? notAsked() : await question([first, ...others], terms);
    if (answer.ok) return answer.value;
    if (this.over) return null;
    if (answer.lost && (await this.hooks.recover(trainee, generation, answer.failure))) return 'again';
    if (!this.over) {
      this.hooks.onFailure(answer.failure);
      this.setPhase('failed');
      this.wake();
    }
    return null;
  }
}
