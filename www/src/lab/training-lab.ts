import type { EngineChoice } from '../engine/engine-choice';
import type { OnProgress, Reply, WorkerApi } from '../engine/worker-api';
import type { AdapterSummary, EngineReport, Failure, SessionSettings } from '../protocol';
import { failed, type Result } from '../result';
import { Signal } from '../signal';
import { Crew, type KeptWorker } from './crew';
import { estimateMemory, type LabEstimate, type Machine } from './estimate';
import type { Loadable } from './loadable';
import type { Seat } from './seat';
import { type Kind, Supplies } from './supplies';
import {
  type Trainee,
  Training,
  type TrainingHooks,
  type TrainingPhase,
  type TrainingPlan,
} from './training';
import type { SpawnWorker } from './worker-link';

/** What the page shows about training. */
export type LabPhase = 'idle' | 'preparing' | TrainingPhase;

/** What a training tells the page; recovering is the crew's business. */
export interface LabListener extends Pick<TrainingHooks, 'onStep' | 'onEvaluation' | 'onCheckpoint'> {
  /** Everything is ready: the last moment before the first step. */
  onReady(): Promise<void>;
}

/** An adapter that runs start from, and what the user calls it. */
export interface StartAdapter extends AdapterSummary {
  name: string;
}

// A callback's `false` stops a load between two tensors; a worker that does not get that far is replaced.
const CANCEL_PATIENCE_MS = 1500;

/** What the page can ask for about training, whatever is trained, and what it can know. Knows no DOM. */
export abstract class TrainingLab<Model, Data, Facts, Start extends { name: string }> {
  readonly engineReport = new Signal<Loadable<EngineReport>>({ status: 'none' });
  readonly model = new Signal<Loadable<Model>>({ status: 'none' });
  readonly data = new Signal<Loadable<Facts>>({ status: 'none' });
  /** The adapter that all runs start from. */
  readonly startAdapter = new Signal<StartAdapter | null>(null);
  /** Name of the one that the last training started from. */
  startedFrom: string | null = null;
  readonly phase = new Signal<LabPhase>('idle');
  readonly failure = new Signal<Failure | null>(null);
  /** What takes long within a training, such as measuring the validation loss. */
  readonly activity = new Signal<string>('');
  protected readonly crew: Crew;
  private readonly supplies: Supplies<Model, Data, Facts, Start>;
  private training: Training | null = null;
  private attempts = 0;

  constructor(
    spawn: SpawnWorker,
    private readonly machine: Machine,
    kind: Kind<Model, Data, Facts, Start>,
  ) {
    this.supplies = new Supplies(kind);
    this.crew = new Crew(spawn, (seat, onProgress) => this.supplies.all(seat, onProgress));
  }

  get choice(): Signal<EngineChoice> {
    return this.crew.choice;
  }

  get preparing() {
    return this.crew.preparing;
  }

  get notice(): Signal<string> {
    return this.crew.notice;
  }

  /** What the model was loaded from. */
  get modelFiles(): readonly File[] {
    return this.supplies.files ?? [];
  }

  /** The workers of the current session, also after its end. */
  get trainees(): readonly Trainee[] {
    return this.crew.trainees;
  }

  /** Uses the chosen engine from now on; what was loaded is loaded again there. */
  async useEngine(choice: EngineChoice): Promise<Result<EngineReport>> {
    const report = this.engineReport.value;
    const same = choice.engine === this.choice.value.engine;
    this.choice.set(choice);
    if (same && report.status === 'ready') return { ok: true, value: report.value };
    if (!same) {
      this.crew.dismiss('The engine was changed.');
      this.forgetTraining();
    }
    this.engineReport.set({ status: 'loading', progress: { action: 'Starting', done: 0, total: 0 } });
    const answer = await this.crew.startEngine();
    // Another choice was made meanwhile; it tells about itself.
    if (this.choice.value.engine !== choice.engine) return answer;
    if (!answer.ok) {
      this.engineReport.set({ status: 'failed', failure: answer.failure });
      return answer;
    }
    this.engineReport.set({ status: 'ready', value: answer.value });
    if (!same && this.supplies.files !== null) await this.loadModel(this.supplies.files);
    return answer;
  }

  /** Loads a model into the first worker; the others load it when they are needed. */
  async loadModel(files: File[]): Promise<Result<Model>> {
    this.forgetTraining();
    this.supplies.files = null;
    this.model.set({ status: 'loading', progress: { action: 'Opening', done: 0, total: 0 } });
    const answer = await this.supplies.loadModel(this.crew.first, files, (progress) =>
      this.model.set({ status: 'loading', progress }),
    );
    if (!answer.ok) {
      this.model.set({ status: 'failed', failure: answer.failure });
      return answer;
    }
    this.supplies.files = files;
    this.model.set({ status: 'ready', value: answer.value });
    await this.keepStart();
    if (this.supplies.data !== null) await this.readData(this.supplies.data);
    return answer;
  }

  /** Reads data; before there is a model, remembers it. */
  protected async useData(data: Data): Promise<Result<Facts> | null> {
    this.supplies.data = data;
    if (this.model.value.status !== 'ready') return null;
    return this.readData(data);
  }

  private async readData(data: Data): Promise<Result<Facts>> {
    this.forgetTraining();
    this.data.set({ status: 'loading', progress: { action: 'Reading', done: 0, total: 0 } });
    const answer = await this.giveData(data, (progress) => this.data.set({ status: 'loading', progress }));
    this.data.set(
      answer.ok ? { status: 'ready', value: answer.value } : { status: 'failed', failure: answer.failure },
    );
    return answer;
  }

  private async giveData(data: Data, onProgress: OnProgress): Promise<Reply<Facts>> {
    const { first } = this.crew;
    // A cancelled load may have cost the worker its life, and with it the model.
    if (this.supplies.files !== null) {
      const model = await this.supplies.loadModel(first, this.supplies.files);
      if (!model.ok) return model;
    }
    return this.supplies.loadData(first, data, onProgress);
  }

  /** Makes all runs start from this adapter; null is fresh ones. Where it does not fit, nothing changes. */
  async startFrom(start: Start | null): Promise<Result<AdapterSummary | null>> {
    if (this.model.value.status !== 'ready') {
      return failed('adapter', 'Load the model that the adapter was made for first.');
    }
    const answer = await this.supplies.startFrom(this.crew.first, start);
    if (!answer.ok) return answer;
    this.supplies.start = start;
    this.startAdapter.set(start && answer.value && { ...answer.value, name: start.name });
    return answer;
  }

  /** Another model may be of another shape. */
  private async keepStart(): Promise<void> {
    const { start } = this.supplies;
    if (start === null) return;
    const answer = await this.startFrom(start);
    if (answer.ok) return;
    this.supplies.start = null;
    this.startAdapter.set(null);
    this.notice.set(`${start.name} does not fit the new model, so runs start from fresh adapters again.`);
  }

  /** Stops loading a model or data. */
  cancelLoading(): void {
    const { first } = this.crew;
    const before = [this.model.value.status, this.data.value.status].join();
    first.cancel();
    setTimeout(() => {
      const now = [this.model.value.status, this.data.value.status].join();
      if (now === before && now.includes('loading')) first.kill('Loading was cancelled.');
    }, CANCEL_PATIENCE_MS);
  }

  /** Bytes that training with these settings needs, in one worker and in all; `groups` of runs where they are given. */
  async estimate(settings: SessionSettings, groups?: number[][]): Promise<Result<LabEstimate>> {
    if (this.model.value.status !== 'ready') return failed('model', 'Load a model first.');
    const { engine } = this.choice.value;
    return estimateMemory(this.crew.first, settings, engine, this.machine, groups);
  }

  /** Someone is about to start one training after another: until `forgetTraining`, nobody else may. */
  reserve(): void {
    this.forgetTraining();
    this.phase.set('preparing');
  }

  /** Trains from fresh adapters to the end. Resolves when it is over; `singleStep` pauses after one step. */
  start(plan: TrainingPlan, listener: LabListener, singleStep = false): Promise<void> {
    this.startedFrom = this.startAdapter.value?.name ?? null;
    return this.train(plan, listener, (wanted) => this.prepare(plan, wanted), singleStep);
  }

  /** Goes on from checkpoints, with the runs spread over workers as they were. */
  async restore(plan: TrainingPlan, kept: readonly KeptWorker[], listener: LabListener): Promise<void> {
    // A checkpoint has adapters of its own.
    if (this.startAdapter.value !== null) await this.startFrom(null);
    this.startedFrom = null;
    const groups = kept.map(({ runs }) => runs);
    return this.train(plan, listener, async (wanted) => {
      const estimate = await this.estimate(plan.settings, groups);
      if (!estimate.ok) return estimate;
      return this.crew.restore(plan.settings, kept, estimate.value, wanted);
    });
  }

  private async train(
    plan: TrainingPlan,
    listener: LabListener,
    prepare: (wanted: () => boolean) => Promise<Result<Trainee[]>>,
    singleStep = false,
  ): Promise<void> {
    this.attempts += 1;
    const attempt = this.attempts;
    const wanted = () => attempt === this.attempts && this.phase.value === 'preparing';
    this.failure.set(null);
    this.notice.set('');
    this.phase.set('preparing');
    const prepared = await prepare(wanted);
    if (!wanted()) return;
    if (!prepared.ok) {
      this.failure.set(prepared.failure);
      this.phase.set('failed');
      return;
    }
    await listener.onReady();
    if (!wanted()) return;
    const endWatching = this.crew.kernels.subscribe((count) =>
      this.activity.set(`compiling kernels, ${count} so far`),
    );
    const hooks: TrainingHooks = {
      onStep: (trainee, report) => {
        if (this.choice.value.engine === 'webgpu') this.activity.set('');
        listener.onStep(trainee, report);
      },
      onEvaluation: listener.onEvaluation,
      onCheckpoint: listener.onCheckpoint,
      onActivity: (words) => this.activity.set(words),
      onPhase: (phase) => this.phase.set(phase),
      onFailure: (failure) => this.failure.set(failure),
      recover: (trainee, failure) => this.crew.recover(trainee, failure),
    };
    this.training = new Training(plan, prepared.value, hooks, singleStep);
    await this.training.run();
    endWatching();
    this.activity.set('');
  }

  pause(): void {
    this.training?.pause();
  }

  resume(): void {
    this.training?.resume();
  }

  stepOnce(): void {
    this.training?.stepOnce();
  }

  stop(): void {
    if (this.phase.value === 'preparing') {
      this.phase.set('stopped');
      this.crew.cancel();
    } else this.training?.stop();
  }

  /** Makes a checkpoint of every worker as soon as its step is done: a page that is hidden may never come back. */
  checkpointNow(): void {
    this.training?.checkpointNow();
  }

  /** Whether there are runs that can be asked; the base can be as soon as there is a model. */
  get hasRuns(): boolean {
    return this.crew.trainees.length > 0 && this.phase.value !== 'failed';
  }

  /** The first worker with model and data, for what the base alone can answer before there are runs. */
  protected async readyBase(): Promise<Reply<Seat>> {
    const { files, data } = this.supplies;
    if (files === null) return { ...failed('model', 'Load a model first.'), lost: false };
    const { first } = this.crew;
    // The worker may have died since it was given these.
    const model = await this.supplies.loadModel(first, files);
    if (!model.ok) return model;
    if (data !== null) await this.supplies.loadData(first, data);
    return { ok: true, value: first };
  }

  /** Asks the first worker for what the base alone can answer, before there are runs. */
  protected async askBase<Value>(question: (api: WorkerApi) => Promise<Reply<Value>>): Promise<Reply<Value>> {
    const ready = await this.readyBase();
    return ready.ok ? ready.value.call(question) : ready;
  }

  private async prepare(plan: TrainingPlan, wanted: () => boolean): Promise<Result<Trainee[]>> {
    const estimate = await this.estimate(plan.settings);
    if (!estimate.ok) return estimate;
    if (!estimate.value.fits) return failed('settings', estimate.value.advice);
    return this.crew.prepare(plan.settings, estimate.value, wanted);
  }

  /** What comes next is another base, other data or other runs: the trained adapters do not belong to it. */
  forgetTraining(): void {
    this.crew.forgetTraining();
    this.training = null;
    this.failure.set(null);
    this.phase.set('idle');
  }
}
