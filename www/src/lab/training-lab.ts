import type { EngineChoice } from '../engine/engine-choice';
import type { Reply, WorkerApi } from '../engine/worker-api';
import type { AdapterSummary, EngineReport, Failure, SessionSettings } from '../protocol';
import { failed, type Result } from '../result';
import { Signal } from '../signal';
import { Attempt } from './attempt';
import { Budget, type Holder, type Machine } from './budget';
import { Crew } from './crew';
import { estimateMemory, type LabEstimate } from './estimate';
import type { RunDesk } from './exporting';
import type { Loadable } from './loadable';
import { Rest } from './rest';
import { notAsked, type Seat } from './seat';
import type { Spread } from './spread';
import {
  isTraining,
  type LabPhase,
  type LabState,
  next,
  nothingYet,
  refusal,
  type Task,
  type Wish,
} from './state';
import { type Kind, type Outfit, Supplies } from './supplies';
import type { Team } from './team';
import type { KeptWorker, Trainee } from './trainee';
import { Training, type TrainingHooks, type TrainingPlan } from './training';
import type { SpawnWorker } from './worker-link';

/** What a training tells the page; recovering is the crew's business. */
export interface LabListener extends Pick<TrainingHooks, 'onStep' | 'onEvaluation' | 'onCheckpoint'> {
  /** Everything is ready: the last moment before the first step. */
  onReady(): Promise<void>;
}

/** An adapter that runs start from, and what the user calls it. */
export interface StartAdapter extends AdapterSummary {
  name: string;
}

/** How a lab is furnished, where that is not as usual. */
export interface LabOptions {
  /** What it is called where another lab waits for it. */
  name?: string;
  /** Shared with other labs of the page. */
  budget?: Budget;
  /** How long a cancelled load may take to end, in milliseconds. */
  patience?: number;
  /** After how long without work its workers end, in milliseconds; they come back when they are asked. */
  restAfter?: number;
}

type Loading = Exclude<Task, 'training'>;

/**
 * What the page can ask for about training, whatever is trained, and what it can know. Knows no DOM.
 *
 * It is the one owner of loading, training and recovery: `state` says what is going on, whoever wants something is asked
 * after there (`refusal`), and what comes late there (`next`) changes nothing.
 */
export abstract class TrainingLab<Model, Data, Facts, Start extends { name: string }> implements Holder {
  readonly state = new Signal<LabState>(nothingYet);
  readonly engineReport = new Signal<Loadable<EngineReport>>({ status: 'none' });
  readonly model = new Signal<Loadable<Model>>({ status: 'none' });
  readonly data = new Signal<Loadable<Facts>>({ status: 'none' });
  readonly phase = new Signal<LabPhase>('idle');
  /** The adapter that all runs start from. */
  readonly startAdapter = new Signal<StartAdapter | null>(null);
  /** Name of the one that the last training started from. */
  startedFrom: string | null = null;
  readonly failure = new Signal<Failure | null>(null);
  /** What takes long within a training, such as measuring the validation loss. */
  readonly activity = new Signal<string>('');
  /** The engine that takes over when the training is over and the next one starts. */
  readonly nextChoice = new Signal<EngineChoice | null>(null);
  /** Takes what was trained out of its workers; also of the training before, whose model or data have gone. */
  readonly desk: RunDesk = {
    ask: (run, question, signal) => this.crew.askRun(run, question, signal),
    close: () => this.crew.closeBefore(),
  };
  readonly name: string;
  readonly budget: Budget;
  protected readonly crew: Crew;
  private readonly supplies: Supplies<Model, Data, Facts, Start>;
  private readonly attempts: { [Name in Task]?: Attempt } = {};
  /** Called when the first engine is chosen. */
  private onChosen: () => void = () => undefined;
  /** The start of the engine of now; before one was chosen, it waits for that. */
  private started: Promise<Result<EngineReport>> = new Promise<void>((resolve) => {
    this.onChosen = resolve;
  }).then(() => this.started);
  private files: File[] | null = null;
  private source: Data | null = null;
  private startingPoint: Start | null = null;
  private training: Training | null = null;

  constructor(
    spawn: SpawnWorker,
    machine: Machine,
    kind: Kind<Model, Data, Facts, Start>,
    options: LabOptions,
  ) {
    this.name = options.name ?? 'another tab';
    this.budget = options.budget ?? new Budget(machine);
    this.supplies = new Supplies(kind);
    const rest = options.restAfter === undefined ? null : new Rest(options.restAfter, () => void this.rest());
    this.crew = new Crew(spawn, {
      patience: options.patience,
      onUse: (busy) => rest?.use(busy),
      onFallback: () => void this.reportEngine(),
    });
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
    return this.files ?? [];
  }

  /** The workers of the training that is shown, also after its end. */
  get trainees(): readonly Trainee[] {
    return this.crew.trainees;
  }

  /** Uses the chosen engine from now on, or where a training goes on, from the next one on. What was loaded is loaded again there. */
  async useEngine(choice: EngineChoice): Promise<Result<EngineReport>> {
    const refused = refusal(this.state.value, 'engine');
    const same = choice.engine === this.choice.value.engine;
    this.nextChoice.set(refused !== undefined && !same ? choice : null);
    if (refused !== undefined && !same) return refused;
    const { step } = this.state.value.engine;
    if (same && (step === 'loading' || step === 'ready')) {
      this.choice.set(choice);
      return this.started;
    }
    const attempt = this.begin('engine');
    this.started = this.startEngine(choice, attempt);
    this.onChosen();
    const answer = await this.started;
    // A training that began meanwhile gives its workers what they need.
    const free = answer.ok && !attempt.over && !isTraining(this.state.value);
    if (free && this.files !== null && this.model.value.status === 'ready') await this.loadAgain(this.files);
    return answer;
  }

  /** Starts an engine; where WebGPU does not, the CPU, and says why. */
  private async startEngine(choice: EngineChoice, attempt: Attempt): Promise<Result<EngineReport>> {
    this.tell('engine', attempt, { status: 'loading', progress: { action: 'Starting', done: 0, total: 0 } });
    this.choice.set(choice);
    await this.crew.rest('The engine was changed.');
    if (attempt.over) return this.started;
    const answer = await this.crew.startEngine();
    if (attempt.over) return this.started;
    if (!answer.ok && choice.engine === 'webgpu') {
      const reason = `WebGPU did not start (${answer.failure.message}), so the CPU trains.`;
      return this.startEngine({ engine: 'cpu', reason, gpuUsable: false }, attempt);
    }
    this.tell('engine', attempt, shown(answer));
    return answer;
  }

  /** Tells what the engine of now says of itself. */
  private async reportEngine(): Promise<void> {
    const attempt = this.begin('engine');
    this.tell('engine', attempt, { status: 'loading', progress: { action: 'Starting', done: 0, total: 0 } });
    this.started = this.crew.startEngine();
    const answer = await this.started;
    this.tell('engine', attempt, shown(answer));
  }

  /** Loads a model into the first worker, as soon as there is an engine; the others load it when they are needed. */
  async loadModel(files: File[]): Promise<Result<Model>> {
    const refused = refusal(this.state.value, 'model');
    if (refused !== undefined) return refused;
    const attempt = this.begin('model');
    this.files = null;
    const action = this.state.value.engine.step === 'ready' ? 'Opening' : 'Waiting for the engine';
    this.tell('model', attempt, { status: 'loading', progress: { action, done: 0, total: 0 } });
    const { data } = this.attempts;
    if (data !== undefined) this.tell('data', data, { status: 'none' });
    data?.end();
    await this.setAside();
    return this.bringModel(files, attempt);
  }

  /** Another engine has nothing of what was loaded. */
  private async loadAgain(files: File[]): Promise<void> {
    const attempt = this.begin('model');
    this.tell('model', attempt, { status: 'loading', progress: { action: 'Opening', done: 0, total: 0 } });
    await this.bringModel(files, attempt);
  }

  private async bringModel(files: File[], attempt: Attempt): Promise<Result<Model>> {
    const answer = await this.askFirst(
      (seat) =>
        this.supplies.loadModel(
          seat,
          files,
          (progress) => this.tell('model', attempt, { status: 'loading', progress }),
          attempt.signal,
        ),
      attempt,
    );
    if (attempt.over) return answer.ok ? failed('model', 'Something else was loaded meanwhile.') : answer;
    if (answer.ok) this.files = files;
    this.tell('model', attempt, shown(answer));
    if (!answer.ok) return answer;
    await this.keepStart();
    if (!attempt.over && this.source !== null) await this.readData(files, this.source, this.beginData());
    return answer;
  }

  /** Reads data; before there is a model, remembers it. */
  protected async useData(data: Data): Promise<Result<Facts> | null> {
    const refused = refusal(this.state.value, 'data');
    if (refused !== undefined) return refused;
    this.source = data;
    const { files } = this;
    if (files === null || this.model.value.status !== 'ready') return null;
    const attempt = this.beginData();
    await this.setAside();
    return this.readData(files, data, attempt);
  }

  private beginData(): Attempt {
    const attempt = this.begin('data');
    this.tell('data', attempt, { status: 'loading', progress: { action: 'Reading', done: 0, total: 0 } });
    return attempt;
  }

  private async readData(files: File[], data: Data, attempt: Attempt): Promise<Result<Facts>> {
    const answer = await this.askFirst(async (seat) => {
      // A cancelled load may have cost the worker its life, and with it the model.
      const model = await this.supplies.loadModel(seat, files, undefined, attempt.signal);
      if (!model.ok) return model;
      return this.supplies.loadData(
        seat,
        data,
        (progress) => this.tell('data', attempt, { status: 'loading', progress }),
        attempt.signal,
      );
    }, attempt);
    if (attempt.over) return answer.ok ? failed('data', 'Something else was chosen meanwhile.') : answer;
    this.tell('data', attempt, shown(answer));
    return answer;
  }

  /** Makes all runs start from this adapter; null is fresh ones. Where it does not fit, nothing changes. */
  async startFrom(start: Start | null): Promise<Result<AdapterSummary | null>> {
    const refused = refusal(this.state.value, 'adapter');
    if (refused !== undefined) return refused;
    return this.takeStart(start);
  }

  private async takeStart(start: Start | null): Promise<Result<AdapterSummary | null>> {
    const { files } = this;
    if (files === null) return failed('model', 'Load a model first.');
    const answer = await this.askFirst(async (seat) => {
      const model = await this.supplies.loadModel(seat, files);
      return model.ok ? this.supplies.startFrom(seat, start) : model;
    });
    if (!answer.ok) return answer;
    this.startingPoint = start;
    this.startAdapter.set(start && answer.value && { ...answer.value, name: start.name });
    return answer;
  }

  /** Another model may be of another shape. */
  private async keepStart(): Promise<void> {
    const start = this.startingPoint;
    if (start === null) return;
    const answer = await this.takeStart(start);
    if (answer.ok) return;
    this.startingPoint = null;
    this.startAdapter.set(null);
    this.notice.set(`${start.name} does not fit the new model, so runs start from fresh adapters again.`);
  }

  /** Stops loading a model or data, and nothing else. */
  cancelLoading(): void {
    for (const task of ['model', 'data'] as const) {
      const attempt = this.attempts[task];
      if (attempt === undefined || this.state.value[task].step !== 'loading') continue;
      this.tell(task, attempt, failedLoad(task));
      attempt.end();
    }
  }

  /** Bytes that training with these settings needs, in one worker and in all; `groups` of runs where they are given. */
  async estimate(settings: SessionSettings, groups?: number[][]): Promise<Result<LabEstimate>> {
    if (this.model.value.status !== 'ready') return failed('model', 'Load a model first.');
    const { engine } = this.choice.value;
    const free = this.budget.free(this);
    const machine = { ...free, cores: Math.max(1, free.cores) };
    return estimateMemory((ask) => this.askWorker(ask), settings, engine, machine, groups);
  }

  /** Someone is about to start one training after another: until `release`, nobody else may. */
  reserve(): void {
    this.forgetTraining();
    this.change({ ...this.state.value, reserved: true });
  }

  /** Whoever reserved the lab needs it no more. */
  release(): void {
    this.change({ ...this.state.value, reserved: false });
    this.forgetTraining();
    this.budget.release(this);
  }

  /** Trains from fresh adapters to the end. Resolves when it is over; `singleStep` pauses after one step. */
  start(plan: TrainingPlan, listener: LabListener, singleStep = false): Promise<void> {
    const prepare = async (attempt: Attempt) => {
      const estimate = await this.estimate(plan.settings);
      if (!estimate.ok) return estimate;
      if (!estimate.value.fits) return failed('settings', estimate.value.advice);
      if (attempt.over) return notAsked();
      this.hold(estimate.value);
      return this.newTeam(plan.settings, estimate.value, (team) =>
        team.prepare(estimate.value, attempt.signal),
      );
    };
    return this.train(plan, listener, prepare, singleStep);
  }

  /** Goes on from checkpoints, with the runs spread over workers as they were. */
  async restore(plan: TrainingPlan, kept: readonly KeptWorker[], listener: LabListener): Promise<void> {
    // A checkpoint has adapters of its own.
    if (this.startAdapter.value !== null) await this.startFrom(null);
    const groups = kept.map(({ runs }) => runs);
    const prepare = async (attempt: Attempt) => {
      const estimate = await this.estimate(plan.settings, groups);
      if (!estimate.ok) return estimate;
      if (attempt.over) return notAsked();
      this.hold(estimate.value);
      return this.newTeam(plan.settings, estimate.value, (team) =>
        team.restore(kept, estimate.value, attempt.signal),
      );
    };
    return this.train(plan, listener, prepare);
  }

  private async train(
    plan: TrainingPlan,
    listener: LabListener,
    prepare: (attempt: Attempt) => Promise<Result<Team>>,
    singleStep = false,
  ): Promise<void> {
    if (refusal(this.state.value, 'start') !== undefined) return;
    const attempt = this.begin('training');
    this.startedFrom = this.startAdapter.value?.name ?? null;
    this.failure.set(null);
    this.notice.set('');
    this.preparing.set({ action: '', done: 0, total: 0 });
    this.training = null;
    this.goTo(attempt, 'preparing');
    const prepared = await this.whenThereIsRoom(attempt, prepare);
    if (attempt.over) return;
    if (!prepared.ok) return this.fail(attempt, prepared.failure);
    const team = prepared.value;
    await listener.onReady();
    if (attempt.over) return;
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
      onPhase: (phase) => this.goTo(attempt, phase),
      onFailure: (failure) => this.failure.set(failure),
      recover: (trainee, generation, failure) => team.recover(trainee, generation, failure, 'training'),
    };
    const training = new Training(plan, team.trainees, hooks, singleStep);
    this.training = training;
    team.onBack = () => training.wake();
    await training.run();
    team.training = false;
    endWatching();
    // The next one may have begun while the last step of this one was computed.
    if (this.attempts.training !== attempt) return;
    this.activity.set('');
    this.leaveRoom();
  }

  /** Waits for trainings of other labs, and takes the engine that was wished for meanwhile. */
  private async whenThereIsRoom(
    attempt: Attempt,
    prepare: (attempt: Attempt) => Promise<Result<Team>>,
  ): Promise<Result<Team>> {
    const wished = this.nextChoice.value;
    // Trainings in a row are compared: they keep their engine.
    if (wished !== null && !this.state.value.reserved) {
      this.nextChoice.set(null);
      const engine = this.begin('engine');
      this.started = this.startEngine(wished, engine);
    }
    const started = await this.started;
    if (!started.ok) return started;
    const gpu = this.choice.value.engine === 'webgpu';
    await this.budget.room(this, gpu, attempt.signal, ({ name }) =>
      this.preparing.set({ action: `waiting for the training of ${name} to end`, done: 0, total: 0 }),
    );
    return attempt.over ? notAsked() : prepare(attempt);
  }

  private async newTeam(
    settings: SessionSettings,
    { groups, shards }: Spread,
    gather: (team: Team) => Promise<Result<unknown>>,
  ): Promise<Result<Team>> {
    const { files, source: data, startingPoint: start } = this;
    if (files === null || data === null) return failed('data', 'Load a model and data first.');
    const outfit: Outfit<Data, Start> = { files, data, start };
    const team = this.crew.newTeam(settings, groups.length * shards, (seat, onProgress, signal) =>
      this.supplies.all(seat, outfit, onProgress, signal),
    );
    const gathered = await gather(team);
    return gathered.ok ? { ok: true, value: team } : gathered;
  }

  private hold({ groups, shards, total }: LabEstimate): void {
    const gpu = this.choice.value.engine === 'webgpu';
    this.budget.hold(this, { cores: gpu ? 1 : groups.length * shards, memory: total, gpu });
  }

  private fail(attempt: Attempt, failure: Failure): void {
    this.failure.set(failure);
    this.goTo(attempt, 'failed');
    this.leaveRoom();
  }

  private leaveRoom(): void {
    if (!this.state.value.reserved) this.budget.release(this);
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
    const attempt = this.attempts.training;
    if (this.training !== null) this.training.stop();
    else if (attempt !== undefined && this.state.value.training.step === 'preparing') {
      this.goTo(attempt, 'stopped');
      attempt.end();
      this.leaveRoom();
    }
  }

  /** Makes a checkpoint of every worker as soon as its step is done: a page that is hidden may never come back. */
  checkpointNow(): void {
    this.training?.checkpointNow();
  }

  /** Why something is not possible now, with a way out; undefined where it is. */
  whyNot(wish: Wish): Failure | undefined {
    return refusal(this.state.value, wish)?.failure;
  }

  /** Whether the training before can still be exported. */
  get hasBefore(): boolean {
    return (this.crew.before?.trainees.length ?? 0) > 0;
  }

  /** Whether there are runs that can be asked; the base can be as soon as there is a model. */
  get hasRuns(): boolean {
    return this.crew.trainees.length > 0 && this.phase.value !== 'failed';
  }

  /** Lets the workers go until they are asked again; not while they train. */
  async rest(): Promise<void> {
    if (isTraining(this.state.value) || this.state.value.reserved || this.crew.busy) return;
    await this.crew.rest('There is nothing to do.');
  }

  /** Asks the first worker, with model and data, for what the base alone can answer. */
  protected async askBase<Value>(question: (seat: Seat) => Promise<Reply<Value>>): Promise<Reply<Value>> {
    const { files } = this;
    if (files === null) return { ...failed('model', 'Load a model first.'), lost: false };
    return this.askFirst(async (seat) => {
      const model = await this.supplies.loadModel(seat, files);
      if (!model.ok) return model;
      const { source } = this;
      if (source !== null && this.data.value.status === 'ready') {
        const data = await this.supplies.loadData(seat, source);
        if (!data.ok && data.lost) return data;
      }
      return question(seat);
    });
  }

  /** As `askBase`, of a question to its worker. */
  protected askWorker<Value>(
    question: (api: WorkerApi) => Promise<Reply<Value>>,
    signal?: AbortSignal,
  ): Promise<Reply<Value>> {
    return this.askBase((seat) => seat.held.call(question, { signal }));
  }

  /**
   * Asks the first worker of the engine that is chosen, as soon as that has started. Where another engine took over
   * meanwhile, or a worker died that had been given something, the next one is asked.
   */
  protected async askFirst<Value>(
    question: (seat: Seat) => Promise<Reply<Value>>,
    attempt?: Attempt,
  ): Promise<Reply<Value>> {
    for (let again = true; ; ) {
      const { started } = this;
      const engine = await started;
      if (attempt?.over) return notAsked();
      if (started !== this.started) continue;
      if (!engine.ok) return { ...engine, lost: false };
      const seat = this.crew.first;
      // A worker on the CPU that goes tells at once; a GPU that went away is found out by asking.
      const fresh = seat.isEmpty && seat.engine === 'cpu';
      const answer = await question(seat);
      if (answer.ok || !answer.lost || attempt?.over) return answer;
      if (started !== this.started) continue;
      if (fresh || !again) return answer;
      again = false;
    }
  }

  /** What comes next is another base or other data: the trained adapters do not belong to it, and only leave. */
  private async setAside(): Promise<void> {
    const attempt = this.attempts.training;
    this.training = null;
    this.failure.set(null);
    const asleep = this.crew.archive();
    if (attempt !== undefined) this.goTo(attempt, 'idle');
    await asleep;
  }

  /** Forgets what was trained. */
  forgetTraining(): void {
    const attempt = this.attempts.training;
    this.training = null;
    this.crew.forget();
    this.failure.set(null);
    if (attempt !== undefined) this.goTo(attempt, 'idle');
  }

  /** A new attempt at a task; the one before is given up. */
  private begin(task: Task): Attempt {
    this.attempts[task]?.end();
    const attempt = new Attempt();
    this.attempts[task] = attempt;
    return attempt;
  }

  /** Shows what an attempt at loading has come to, unless it comes too late. */
  private tell(task: 'engine', attempt: Attempt, shown: Loadable<EngineReport>): void;
  private tell(task: 'model', attempt: Attempt, shown: Loadable<Model>): void;
  private tell(task: 'data', attempt: Attempt, shown: Loadable<Facts>): void;
  private tell(task: Loading, attempt: Attempt, shown: Loadable<never>): void;
  private tell(task: Loading, attempt: Attempt, shown: Loadable<unknown>): void {
    const after = next(this.state.value, { task, attempt: attempt.id, step: shown.status });
    if (after === this.state.value || attempt.over) return;
    this.change(after);
    const signals = { engine: this.engineReport, model: this.model, data: this.data };
    (signals[task] as Signal<Loadable<unknown>>).set(shown);
  }

  private goTo(attempt: Attempt, step: LabPhase): void {
    this.change(next(this.state.value, { task: 'training', attempt: attempt.id, step }));
  }

  private change(state: LabState): void {
    this.state.set(state);
    const { step } = state.training;
    this.phase.set(state.reserved && step === 'idle' ? 'preparing' : step);
  }
}

function shown<Value>(answer: Result<Value>): Loadable<Value> {
  return answer.ok ? { status: 'ready', value: answer.value } : { status: 'failed', failure: answer.failure };
}

function failedLoad(place: string): Loadable<never> {
  return { status: 'failed', failure: { place, field: null, message: 'Loading was cancelled.' } };
}
