import type { EngineChoice } from '../engine/engine-choice';
import type { OnProgress, Reply, WorkerApi } from '../engine/worker-api';
import type { EngineReport, Progress, SessionSettings } from '../protocol';
import { failed, type Result } from '../result';
import { Signal } from '../signal';
import { Seat } from './seat';
import { Team, type TeamHooks } from './team';
import type { Trainee } from './trainee';
import type { SpawnWorker } from './worker-link';

/** How a crew is furnished. */
export interface CrewOptions {
  /** How long a cancelled load may take to end, in milliseconds. */
  patience?: number | undefined;
  /** Told when workers are asked something, and when all have answered. */
  onUse?: ((busy: boolean) => void) | undefined;
  /** The GPU failed too often within a training, and the CPU took its place. */
  onFallback(): void;
}

/** The workers of a lab: those that are there, the team of the training that is shown, and the one before. */
export class Crew {
  readonly choice = new Signal<EngineChoice>({ engine: 'cpu', reason: '', gpuUsable: false });
  /** What is being made ready. */
  readonly preparing = new Signal<Progress>({ action: '', done: 0, total: 0 });
  /** How many kernels a GPU has compiled; it does so when one is first needed. */
  readonly kernels = new Signal<number>(0);
  /** What happened that the user did not ask for. */
  readonly notice = new Signal<string>('');
  /** Who trains, or has trained last with what is loaded. */
  team: Team | null = null;
  /** Who trained before other things were loaded: asleep, and woken for exports. */
  before: Team | null = null;
  /** By their index: a worker that comes back may be there without those before it. */
  private readonly seats = new Map<number, Seat>();
  /** Places of workers that are there for an export alone. */
  private guests: Seat[] = [];

  constructor(
    private readonly spawn: SpawnWorker,
    private readonly options: CrewOptions,
  ) {}

  /** The worker that is always there: it loads first, and estimates. */
  get first(): Seat {
    return this.seat(0);
  }

  get trainees(): readonly Trainee[] {
    return this.team?.trainees ?? [];
  }

  /** Whether a worker is at work. */
  get busy(): boolean {
    return [...this.seats.values()].some((seat) => seat.busy);
  }

  startEngine(): Promise<Reply<EngineReport>> {
    return this.first.startEngine();
  }

  /** So many workers of a new training take the places of the one before, and what those still did ends. */
  newTeam(settings: SessionSettings, workers: number, equip: TeamHooks['equip']): Team {
    this.endBefore();
    this.team?.end();
    this.close('No longer needed.', workers);
    const onPreparing: OnProgress = (progress) => this.preparing.set(progress);
    this.team = new Team(settings, {
      equip,
      seat: (index) => this.seat(index),
      onPreparing,
      onNotice: (words) => this.notice.set(words),
      onFallback: () => {
        const reason = 'WebGPU failed more than once, so the CPU goes on.';
        this.choice.set({ engine: 'cpu', reason, gpuUsable: true });
        this.options.onFallback();
      },
    });
    return this.team;
  }

  /** What was trained does not belong to what comes next: it is kept apart, for exports alone. */
  async archive(): Promise<void> {
    const { team } = this;
    if (team === null) return;
    this.team = null;
    team.training = false;
    team.isShown = false;
    this.endBefore();
    this.before = team;
    await team.sleep(() => this.guest());
    this.shrink();
  }

  /** Asks the worker that has a run, with the run's place there; also of the team before. */
  async askRun<Value>(
    run: number,
    question: (api: WorkerApi, own: number) => Promise<Reply<Value>>,
    signal?: AbortSignal,
  ): Promise<Result<Value>> {
    for (const team of [this.team, this.before]) {
      const trainee = team?.trainees.find(({ runs }) => runs.includes(run));
      if (team === null || trainee === undefined) continue;
      const own = trainee.runs.indexOf(run);
      return team.ask(trainee, (worker) => worker.call((api) => question(api, own)), signal, 'export');
    }
    return failed('adapter', 'This run is not in memory any more. Train it again to export it.');
  }

  /** Nothing more is asked of the team before for now: a model of its own is too much to keep in memory. */
  async closeBefore(): Promise<void> {
    await this.before?.sleep();
    for (const seat of this.guests.splice(0)) seat.close('No longer needed.');
  }

  private endBefore(): void {
    this.before?.end();
    this.before = null;
    for (const seat of this.guests.splice(0)) seat.close('No longer needed.');
  }

  /** Lets all workers go; what they trained is kept, and comes back when it is asked for. */
  async rest(reason: string): Promise<void> {
    await this.team?.sleep();
    this.close(reason, 0);
  }

  /** Forgets what was trained. */
  forget(): void {
    this.team?.end();
    this.team = null;
    this.endBefore();
    this.shrink();
  }

  /** One worker is enough for what is no training. */
  private shrink(): void {
    this.close('No longer needed.', 1);
  }

  /** Closes all seats from an index on. */
  private close(reason: string, from: number): void {
    for (const [index, seat] of this.seats) {
      if (index < from) continue;
      this.seats.delete(index);
      seat.close(reason);
    }
  }

  private guest(): Seat {
    const seat = this.newSeat();
    this.guests.push(seat);
    return seat;
  }

  private seat(index: number): Seat {
    const seat = this.seats.get(index) ?? this.newSeat();
    this.seats.set(index, seat);
    return seat;
  }

  private newSeat(): Seat {
    return new Seat(this.choice.value.engine, this.spawn, {
      onKernel: (count) => this.kernels.set(count),
      patience: this.options.patience,
      onUse: () => this.options.onUse?.(this.busy),
    });
  }
}
