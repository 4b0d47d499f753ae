import type { EngineChoice } from '../engine/engine-choice';
import type { OnProgress, Reply } from '../engine/worker-api';
import type { EngineReport, Failure, Progress, SessionSettings } from '../protocol';
import { failed, type Result, success } from '../result';
import { Signal } from '../signal';
import { Seat } from './seat';
import { globalField, type Spread } from './spread';
import type { Trainee } from './training';
import type { SpawnWorker } from './worker-link';

// A worker that dies this often at the same place will not live the next time either.
const MOST_DEATHS = 3;
// A GPU that was lost once may come back; twice, and the CPU is the better bet.
const MOST_GPU_DEATHS = 1;

/** What is kept of a worker, from which another goes on. */
export interface KeptWorker {
  /** Indices of its runs. */
  runs: number[];
  step: number;
  /** Whether all its runs diverged. */
  ended: boolean;
  bytes: Uint8Array;
}

/** Gives a worker everything that it needs before it can train; null where that is not there itself. */
export type GiveAll = (seat: Seat, onProgress: OnProgress) => Promise<Reply<unknown> | null>;

/** The workers, and how a dead one is replaced. */
export class Crew {
  readonly choice = new Signal<EngineChoice>({ engine: 'cpu', reason: '', gpuUsable: false });
  /** What is being made ready. */
  readonly preparing = new Signal<Progress>({ action: '', done: 0, total: 0 });
  /** How many kernels a GPU has compiled; it does so when one is first needed. */
  readonly kernels = new Signal<number>(0);
  /** What happened that the user did not ask for. */
  readonly notice = new Signal<string>('');
  /** Those who train, or have trained last. */
  trainees: Trainee[] = [];
  private seats: Seat[] = [];
  private settings: SessionSettings | null = null;

  constructor(
    private readonly spawn: SpawnWorker,
    private readonly giveAll: GiveAll,
  ) {}

  /** The worker that is always there: it loads first, and estimates. */
  get first(): Seat {
    return this.seat(0);
  }

  startEngine(): Promise<Reply<EngineReport>> {
    return this.first.startEngine();
  }

  cancel(): void {
    for (const seat of this.seats) seat.cancel();
  }

  /** Workers for each group of runs, made ready beside each other. `wanted` says whether to go on. */
  async prepare(
    settings: SessionSettings,
    { groups, shards }: Spread,
    wanted: () => boolean,
  ): Promise<Result<Trainee[]>> {
    this.settings = settings;
    const helpers = (group: number) =>
      Array.from({ length: shards - 1 }, (_, index) =>
        this.seat(groups.length + group * (shards - 1) + index),
      );
    const trainees = groups.map((runs, index) => newTrainee(this.seat(index), helpers(index), runs));
    this.trainees = trainees;
    const prepared = await this.prepareSeats(trainees, 'worker');
    if (!prepared.ok) return prepared;
    return wanted() ? success(trainees) : failed('run', 'Stopped.');
  }

  /** Workers that go on from where others were, with the same runs each. */
  async restore(
    settings: SessionSettings,
    kept: readonly KeptWorker[],
    spread: Spread,
    wanted: () => boolean,
  ): Promise<Result<Trainee[]>> {
    const { engine } = this.choice.value;
    const prepared = await this.prepare(engine === 'cpu' ? inSingle(settings) : settings, spread, wanted);
    if (!prepared.ok) return prepared;
    for (const [index, trainee] of prepared.value.entries()) {
      const worker = kept[index];
      if (worker === undefined) continue;
      const { step, ended, bytes } = worker;
      const restored = await restoreOn(trainee, bytes);
      if (!restored.ok) return restored;
      Object.assign(trainee, { step, asked: step, ended, checkpoint: { step, bytes } });
    }
    return prepared;
  }

  /** A new worker takes the place of a dead one and goes on from the last checkpoint; false if it cannot. */
  async recover(trainee: Trainee, failure: Failure): Promise<boolean> {
    const { seat, checkpoint } = trainee;
    // Steps that are done again after a death are no progress.
    if (trainee.step > trainee.diedAt) trainee.deaths = 0;
    trainee.diedAt = Math.max(trainee.diedAt, trainee.step);
    trainee.deaths += 1;
    if (trainee.deaths >= MOST_DEATHS) return false;
    for (const one of seatsOf(trainee)) one.kill(failure.message);
    if (seat.engine === 'webgpu' && trainee.deaths > MOST_GPU_DEATHS) {
      seat.engine = 'cpu';
      const reason = 'WebGPU failed more than once, so the CPU goes on.';
      this.choice.set({ engine: 'cpu', reason, gpuUsable: true });
      if (this.settings !== null) this.settings = inSingle(this.settings);
    }
    const from = checkpoint?.step ?? 0;
    const where = seat.engine === 'cpu' ? 'on the CPU ' : '';
    this.notice.set(`${failure.message} A new worker goes on ${where}from step ${from}.`);
    const prepared = await this.prepareSeats([trainee], 'new worker');
    if (!prepared.ok) return this.recover(trainee, prepared.failure);
    if (checkpoint !== null) {
      const restored = await restoreOn(trainee, checkpoint.bytes);
      if (!restored.ok) return this.recover(trainee, restored.failure);
    }
    Object.assign(trainee, { step: from, asked: from, ended: false });
    return true;
  }

  /** The trained adapters do not belong to what comes next. */
  forgetTraining(): void {
    for (const seat of this.seats.splice(1)) seat.kill('No longer needed.');
    this.trainees = [];
  }

  /** Ends all workers. */
  dismiss(reason: string): void {
    for (const seat of this.seats.splice(0)) seat.kill(reason);
    this.trainees = [];
  }

  /** Gives the workers of these trainees all that they need, beside each other; the first of their failures, if any. */
  private async prepareSeats(trainees: readonly Trainee[], word: string): Promise<Result<null>> {
    const seats = trainees.flatMap((trainee) => seatsOf(trainee).map((seat) => ({ seat, trainee })));
    const ready = new Set<Seat>();
    const prepareOne = async ({ seat, trainee }: (typeof seats)[number], index: number) => {
      const place = seats.length > 1 ? ` ${index + 1} of ${seats.length}` : '';
      const tell: OnProgress = (progress) => {
        // The first that is not ready yet speaks for all.
        if (seats.find((other) => !ready.has(other.seat))?.seat !== seat) return;
        const prefix = word === 'worker' && seats.length === 1 ? '' : `${word}${place}, `;
        this.preparing.set({ ...progress, action: `${prefix}${progress.action}` });
      };
      tell({ action: 'making adapters', done: 0, total: 0 });
      const prepared = await this.prepareOne(seat, trainee.runs, tell);
      ready.add(seat);
      return prepared;
    };
    const all = await Promise.all(seats.map(prepareOne));
    return all.find((one) => !one.ok) ?? success(null);
  }

  private async prepareOne(seat: Seat, own: number[], onProgress: OnProgress): Promise<Result<null>> {
    const { settings } = this;
    const given = await this.giveAll(seat, onProgress);
    if (given === null || settings === null) return failed('data', 'Load a model and data first.');
    if (!given.ok) return given;
    const runs = own.flatMap((run) => settings.runs[run] ?? []);
    const answer = await seat.call((api) => api.configure({ ...settings, runs }));
    if (answer.ok) return answer;
    const field = globalField(answer.failure.field, own);
    return { ok: false, failure: { ...answer.failure, field } };
  }

  private seat(index: number): Seat {
    const onKernel = (count: number) => this.kernels.set(count);
    const seat = this.seats[index] ?? new Seat(this.choice.value.engine, this.spawn, onKernel);
    this.seats[index] = seat;
    return seat;
  }
}

/** What began in half precision goes on without it on the CPU, which has none. */
function inSingle(settings: SessionSettings): SessionSettings {
  return { ...settings, half_precision: false };
}

function seatsOf({ seat, helpers }: Trainee): Seat[] {
  return [seat, ...helpers];
}

/** Sets all workers of a trainee to a checkpoint. */
async function restoreOn(trainee: Trainee, bytes: Uint8Array): Promise<Reply<null>> {
  const all = await Promise.all(seatsOf(trainee).map((seat) => seat.call((api) => api.restore(bytes))));
  return all.find((one) => !one.ok) ?? { ok: true, value: null };
}

function newTrainee(seat: Seat, helpers: Seat[], runs: number[]): Trainee {
  return {
    seat,
    helpers,
    runs,
    step: 0,
    asked: 0,
    ended: false,
    checkpoint: null,
    checkpointWanted: false,
    deaths: 0,
    diedAt: 0,
  };
}
