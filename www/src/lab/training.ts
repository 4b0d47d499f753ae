import type { Reply } from '../engine/worker-api';
import type { EvaluationReport, Failure, SessionSettings, StepReport } from '../protocol';
import type { Seat } from './seat';
import { stepOn } from './shards';

/** What to train, and how often to look. 0 is never. */
export interface TrainingPlan {
  settings: SessionSettings;
  validationEvery: number;
  checkpointEvery: number;
}

/** A seat while it trains: which runs of the plan are its own, and how far it is. */
export interface Trainee {
  seat: Seat;
  /** Workers with the same runs that share its steps. */
  helpers: Seat[];
  runs: number[];
  step: number;
  /** The step it was last asked for: one more than `step` while it computes. */
  asked: number;
  /** Nothing more to do for it: every run diverged. */
  ended: boolean;
  checkpoint: { step: number; bytes: Uint8Array } | null;
  /** Whether one is to be made before the next step, whenever it would be due. */
  checkpointWanted: boolean;
  /** How often a worker of this seat died since it last got further. */
  deaths: number;
  /** The furthest step at which one did. */
  diedAt: number;
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
  /** Makes a new worker take over; `false` ends the training. */
  recover(trainee: Trainee, failure: Failure): Promise<boolean>;
}

// Workers wait for each other so that curves grow together; one step ahead absorbs jitter.
const STEPS_AHEAD = 1;

/** Drives all workers step by step. Nothing runs in a worker that was not asked for here, so pausing is not asking. */
export class Training {
  phase: TrainingPhase = 'running';
  private target: number;
  private waiting: (() => void)[] = [];

  constructor(
    readonly plan: TrainingPlan,
    readonly trainees: Trainee[],
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
    for (const trainee of this.trainees) trainee.seat.cancel();
    this.wake();
  }

  private get over(): boolean {
    return this.phase === 'finished' || this.phase === 'stopped' || this.phase === 'failed';
  }

  private setPhase(phase: TrainingPhase): void {
    this.phase = phase;
    this.hooks.onPhase(phase);
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private settle(): void {
    const reached = this.trainees.every((trainee) => trainee.ended || trainee.step >= this.target);
    if (this.phase === 'pausing' && reached && this.target < this.plan.settings.steps)
      this.setPhase('paused');
  }

  private mayStep(trainee: Trainee): boolean {
    const active = this.trainees.filter((other) => !other.ended);
    const slowest = Math.min(...active.map((other) => other.step));
    return trainee.step < this.target && trainee.step <= slowest + STEPS_AHEAD;
  }

  private async drive(trainee: Trainee): Promise<void> {
    if (trainee.step === 0 && !(await this.evaluate(trainee))) return;
    while (!this.over && !trainee.ended && trainee.step < this.plan.settings.steps) {
      if (trainee.checkpointWanted) {
        if (!(await this.checkpoint(trainee))) return;
        continue;
      }
      if (!this.mayStep(trainee)) {
        await new Promise<void>((resolve) => this.waiting.push(resolve));
        continue;
      }
      trainee.asked = trainee.step + 1;
      const report = await this.ask(trainee, () => stepOn([trainee.seat, ...trainee.helpers]));
      if (report === null) return;
      if (report === 'again') continue;
      // Stopped meanwhile: the curves may already belong to the next training.
      if (this.over) return;
      trainee.step = report.step;
      trainee.ended = report.runs.every((run) => run.diverged_at !== null);
      this.hooks.onStep(trainee, report);
      this.wake();
      if (!(await this.afterStep(trainee))) return;
      this.settle();
    }
    this.wake();
  }

  private async afterStep(trainee: Trainee): Promise<boolean> {
    const { validationEvery, checkpointEvery, settings } = this.plan;
    const last = trainee.step >= settings.steps || trainee.ended;
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
    const bytes = await this.ask(trainee, () => trainee.seat.call((api) => api.checkpoint()));
    if (bytes === null) return false;
    if (bytes === 'again' || this.over) return true;
    trainee.checkpoint = { step, bytes };
    this.hooks.onCheckpoint?.(trainee);
    return true;
  }

  private async evaluate(trainee: Trainee): Promise<boolean> {
    if (this.plan.validationEvery === 0 || this.over) return true;
    const report = await this.ask(trainee, () =>
      trainee.seat.call((api) =>
        api.evaluate(({ action, done, total }) => this.hooks.onActivity(`${action}, ${done} of ${total}`)),
      ),
    );
    this.hooks.onActivity('');
    if (report === null) return false;
    if (report !== 'again') this.hooks.onEvaluation(trainee, report);
    return true;
  }

  /** The answer; `again` after a new worker took over; null when the training is over. */
  private async ask<Value>(
    trainee: Trainee,
    question: () => Promise<Reply<Value>>,
  ): Promise<Value | 'again' | null> {
    const answer = await question();
    if (answer.ok) return answer.value;
    if (this.over) return null;
    if (answer.lost && (await this.hooks.recover(trainee, answer.failure))) return 'again';
    if (!this.over) {
      this.hooks.onFailure(answer.failure);
      this.setPhase('failed');
      this.wake();
    }
    return null;
  }
}
