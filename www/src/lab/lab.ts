import type { EngineName } from '../engine-module';
import type {
  DataSettings,
  DataSummary,
  EngineReport,
  Failure,
  ModelSummary,
  Progress,
  SamplePiece,
  SampleSettings,
  SessionSettings,
} from '../protocol';
import { failed, type Result, success } from '../result';
import { Signal } from '../signal';
import type { EngineChoice } from './engine-choice';
import { estimateMemory, type LabEstimate, type Machine } from './estimate';
import type { Loadable } from './loadable';
import { sampleAll } from './sampling';
import { type DataSource, type Needs, Seat } from './seat';
import { globalField } from './spread';
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

/** What a training tells the page; recovering is the lab's own business. */
export type LabListener = Pick<TrainingHooks, 'onStep' | 'onEvaluation'>;

// A worker that dies this often without one step between will not live the next time either.
const DEATHS_WITHOUT_PROGRESS = 3;
// A callback's `false` stops a load between two tensors; a worker that does not get that far is replaced.
const CANCEL_PATIENCE_MS = 1500;

/** All workers of the page. Knows no DOM. */
export class Lab {
  readonly engine = new Signal<EngineName>('cpu');
  readonly engineReport = new Signal<Loadable<EngineReport>>({ status: 'none' });
  readonly model = new Signal<Loadable<ModelSummary>>({ status: 'none' });
  readonly data = new Signal<Loadable<DataSummary>>({ status: 'none' });
  readonly phase = new Signal<LabPhase>('idle');
  readonly preparing = new Signal<Progress>({ action: '', done: 0, total: 0 });
  /** What happened that the user did not ask for: a worker replaced, an engine changed. */
  readonly notice = new Signal<string>('');
  readonly failure = new Signal<Failure | null>(null);

  private seats: Seat[] = [];
  private files: File[] | null = null;
  private wantedData: Needs['data'] | null = null;
  private training: Training | null = null;
  private deaths = 0;

  constructor(
    private readonly spawn: SpawnWorker,
    private readonly machine: Machine,
  ) {}

  /** Uses the chosen engine from now on; what was loaded is loaded again there. */
  async useEngine(choice: EngineChoice): Promise<void> {
    if (this.seats.length > 0 && choice.engine === this.engine.value) return;
    this.engine.set(choice.engine);
    this.dropSeats('The engine was changed.');
    this.engineReport.set({
      status: 'loading',
      progress: { action: 'Starting the engine', done: 0, total: 0 },
    });
    const answer = await this.firstSeat().startEngine();
    if (!answer.ok) {
      this.engineReport.set({ status: 'failed', failure: answer.failure });
      return;
    }
    this.engineReport.set({ status: 'ready', value: answer.value });
    if (this.files !== null) await this.loadModel(this.files);
  }

  /** Loads a model into the first worker; the others load it when they are needed. */
  async loadModel(files: File[]): Promise<Result<ModelSummary>> {
    this.forgetTraining();
    this.model.set({ status: 'loading', progress: { action: 'Opening', done: 0, total: 0 } });
    const seat = this.firstSeat();
    const answer = await seat.loadModel(files, (progress) => this.model.set({ status: 'loading', progress }));
    if (!answer.ok) {
      this.files = null;
      this.model.set({ status: 'failed', failure: answer.failure });
      return answer;
    }
    this.files = files;
    this.model.set({ status: 'ready', value: answer.value });
    if (this.wantedData !== null) await this.readData(this.wantedData);
    return answer;
  }

  /** Reads data with these settings; before there is a model, remembers them. */
  async loadData(source: DataSource, settings: DataSettings): Promise<Result<DataSummary> | null> {
    this.wantedData = { source, settings };
    if (this.model.value.status !== 'ready') return null;
    return this.readData(this.wantedData);
  }

  private async readData(data: Needs['data']): Promise<Result<DataSummary>> {
    this.forgetTraining();
    this.data.set({ status: 'loading', progress: { action: 'Reading', done: 0, total: 0 } });
    const seat = this.firstSeat();
    if (this.files !== null) await seat.loadModel(this.files);
    const answer = await seat.loadData(data, (progress) => this.data.set({ status: 'loading', progress }));
    this.data.set(
      answer.ok ? { status: 'ready', value: answer.value } : { status: 'failed', failure: answer.failure },
    );
    return answer;
  }

  /** Stops loading a model or data. */
  cancelLoading(): void {
    const seat = this.firstSeat();
    const loading = () => this.model.value.status === 'loading' || this.data.value.status === 'loading';
    seat.cancel();
    setTimeout(() => {
      if (loading()) seat.kill('Cancelled.');
    }, CANCEL_PATIENCE_MS);
  }

  /** Bytes that training with these settings needs, in one worker and in all. */
  async estimate(settings: SessionSettings): Promise<Result<LabEstimate>> {
    const model = this.model.value;
    if (model.status !== 'ready') return failed('model', 'Load a model first.');
    return estimateMemory(this.firstSeat(), settings, this.engine.value, this.machine);
  }

  /** Trains from fresh adapters to the end. Resolves when it is over; `singleStep` pauses after one step. */
  async start(plan: TrainingPlan, listener: LabListener, ready: () => Promise<void>, singleStep = false) {
    const prepared = await this.prepare(plan);
    if (!prepared.ok) {
      this.failure.set(prepared.failure);
      this.phase.set('failed');
      return;
    }
    await ready();
    if (this.phase.value !== 'preparing') return;
    const hooks: TrainingHooks = {
      onStep: (trainee, report) => {
        this.deaths = 0;
        listener.onStep(trainee, report);
      },
      onEvaluation: listener.onEvaluation,
      onPhase: (phase) => this.phase.set(phase),
      onFailure: (failure) => this.failure.set(failure),
      recover: (trainee, failure) => this.recover(trainee, failure),
    };
    this.training = new Training(plan, prepared.value, hooks, singleStep);
    await this.training.run();
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
      for (const seat of this.seats) seat.cancel();
    }
    this.training?.stop();
  }

  /** The trainees of the current session, also after its end. */
  get trainees(): readonly Trainee[] {
    return this.sessions;
  }

  private sessions: Trainee[] = [];

  /** Lets the base and all runs write; a trained session if there is one. */
  async sample(settings: SampleSettings, onPiece: (piece: SamplePiece) => void): Promise<Result<null>> {
    if (this.sessions.length === 0)
      return failed('sample', 'Start a training first: samples come from its runs.');
    return sampleAll(this.sessions, settings, onPiece, (trainee, failure) => this.recover(trainee, failure));
  }

  cancelSampling(): void {
    for (const { seat } of this.sessions) seat.cancel();
  }

  private async prepare(plan: TrainingPlan): Promise<Result<Trainee[]>> {
    this.failure.set(null);
    this.notice.set('');
    this.deaths = 0;
    this.phase.set('preparing');
    const estimate = await this.estimate(plan.settings);
    if (!estimate.ok) return estimate;
    if (!estimate.value.fits) return failed('settings', estimate.value.advice);
    this.settings = plan.settings;
    this.seatsFor(estimate.value.groups.length);
    this.sessions = estimate.value.groups.map((runs, index) => {
      const seat = this.seats[index] ?? this.firstSeat();
      return { seat, runs, step: 0, asked: 0, ended: false, checkpoint: null };
    });
    for (const [index, trainee] of this.sessions.entries()) {
      const worker = this.sessions.length > 1 ? `Worker ${index + 1} of ${this.sessions.length}: ` : '';
      const prepared = await this.prepareTrainee(trainee, worker);
      if (!prepared.ok) return prepared;
    }
    return success(this.sessions);
  }

  private settings: SessionSettings | null = null;

  private async prepareTrainee(trainee: Trainee, prefix: string): Promise<Result<null>> {
    if (this.files === null || this.wantedData === null || this.settings === null) {
      return failed('data', 'Load a model and data first.');
    }
    const { settings } = this;
    const runs = trainee.runs.flatMap((run) => settings.runs[run] ?? []);
    const needs: Needs = { files: this.files, data: this.wantedData };
    this.preparing.set({ action: `${prefix}making adapters`, done: 0, total: 0 });
    const answer = await trainee.seat.prepare(needs, { ...settings, runs }, (progress) =>
      this.preparing.set({ ...progress, action: `${prefix}${progress.action}` }),
    );
    if (answer.ok) return answer;
    const field = globalField(answer.failure.field, trainee.runs);
    return { ok: false, failure: { ...answer.failure, field } };
  }

  /** A new worker takes the place of a dead one and goes on from the last checkpoint. */
  private async recover(trainee: Trainee, failure: Failure): Promise<boolean> {
    this.deaths += 1;
    if (this.deaths >= DEATHS_WITHOUT_PROGRESS) return false;
    const { seat } = trainee;
    if (seat.engine === 'webgpu' && this.deaths > 1) seat.engine = 'cpu';
    const from = trainee.checkpoint?.step ?? 0;
    const where = seat.engine === 'cpu' && this.engine.value === 'webgpu' ? ' on the CPU' : '';
    this.notice.set(`${failure.message} A new worker takes over${where} from step ${from}.`);
    seat.kill(failure.message);
    const prepared = await this.prepareTrainee(trainee, 'New worker: ');
    if (!prepared.ok) return this.recover(trainee, prepared.failure);
    const { checkpoint } = trainee;
    if (checkpoint !== null) {
      const restored = await seat.call((api) => api.restore(checkpoint.bytes));
      if (!restored.ok) return this.recover(trainee, restored.failure);
    }
    trainee.step = from;
    trainee.asked = from;
    trainee.ended = false;
    return true;
  }

  private firstSeat(): Seat {
    return this.seatsFor(1)[0] as Seat;
  }

  private seatsFor(count: number): Seat[] {
    while (this.seats.length < count) this.seats.push(new Seat(this.engine.value, this.spawn));
    return this.seats;
  }

  /** Another base or other data: the trained adapters do not belong to it. */
  private forgetTraining(): void {
    for (const seat of this.seats.splice(1)) seat.kill('No longer needed.');
    this.training = null;
    this.sessions = [];
    this.failure.set(null);
    this.phase.set('idle');
  }

  private dropSeats(reason: string): void {
    for (const seat of this.seats.splice(0)) seat.kill(reason);
    this.forgetTraining();
  }
}
