import type { OnProgress, Reply } from '../engine/worker-api';
import type { Failure, SessionSettings } from '../protocol';
import { failed, type Result, success } from '../result';
import { Attempt } from './attempt';
import { type Held, notAsked, type Seat } from './seat';
import { globalField, type Spread } from './spread';
import { type KeptWorker, newTrainee, type Trainee } from './trainee';

// A worker that dies this often at the same place will not live the next time either.
const MOST_DEATHS = 3;
// A GPU that was lost once may come back; twice, and the CPU is the better bet.
const MOST_GPU_DEATHS = 1;
// What one question costs: it is asked of the new worker once more.
const MOST_ASKED = 2;

/** What a team needs of its crew. */
export interface TeamHooks {
  /** Gives a worker everything that it needs before it can train. */
  equip(seat: Seat, onProgress: OnProgress, signal: AbortSignal): Promise<Reply<unknown>>;
  /** A place for a worker; those of a lower index are there already. */
  seat(index: number): Seat;
  onPreparing: OnProgress;
  onNotice(words: string): void;
  /** The GPU failed too often: the CPU goes on. */
  onFallback(): void;
}

/** The workers of one training, during it and after it: how they are made ready, asked, and replaced. */
export class Team {
  trainees: Trainee[] = [];
  /** Whether more steps are to come. */
  training = true;
  /** Whether it belongs to the model and the data of now; where it does not, it is asked for exports alone. */
  isShown = true;
  /** Called when a trainee is back, at an earlier step maybe. */
  onBack: () => void = () => {};
  private hasBegun = false;
  private seat: (index: number) => Seat;
  /** Over when nobody will ask this team anything again. */
  readonly life = new Attempt();

  constructor(
    private readonly settings: SessionSettings,
    private readonly hooks: TeamHooks,
  ) {
    this.seat = hooks.seat;
  }

  /** Makes workers for each group of runs ready, beside each other. */
  async prepare(spread: Spread, signal: AbortSignal): Promise<Result<Trainee[]>> {
    const trainees = spread.groups.map(newTrainee);
    const prepared = await this.bring(trainees, spread.shards, signal, 'worker');
    if (!prepared.ok) return prepared;
    this.trainees = trainees;
    this.hasBegun = true;
    return success(trainees);
  }

  /** Workers that go on from where others were, with the same runs each. */
  async restore(
    kept: readonly KeptWorker[],
    spread: Spread,
    signal: AbortSignal,
  ): Promise<Result<Trainee[]>> {
    this.hasBegun = true;
    const trainees = spread.groups.map((runs, index): Trainee => {
      const { step = 0, ended = false, bytes } = kept[index] ?? {};
      const checkpoint = bytes === undefined ? null : { step, bytes };
      return { ...newTrainee(runs), step, asked: step, ended, checkpoint };
    });
    const prepared = await this.bring(trainees, spread.shards, signal, 'worker');
    if (!prepared.ok) return prepared;
    this.trainees = trainees;
    return success(trainees);
  }

  /**
   * Asks the first worker of a trainee, as it is now: one that is being replaced, or was let go, is there again before.
   * Where the question costs the worker its life, another is asked once.
   */
  async ask<Value>(
    trainee: Trainee,
    question: (worker: Held) => Promise<Reply<Value>>,
    signal?: AbortSignal,
    why: 'show' | 'export' = 'show',
  ): Promise<Reply<Value>> {
    for (let asked = 1; ; asked += 1) {
      if (why === 'show' && !this.isShown) return notAsked();
      const there = await this.wake(trainee);
      if (!there.ok) return { ...there, lost: false };
      if (signal?.aborted) return notAsked();
      const { generation } = trainee;
      const answer = await question(there.value);
      if (answer.ok || !answer.lost || this.life.over || signal?.aborted) return answer;
      const words = this.recoverable(trainee)
        ? answer.failure
        : { ...answer.failure, message: gone(answer.failure) };
      const recovered = await this.recover(trainee, generation, answer.failure, 'question');
      if (!recovered || asked >= MOST_ASKED) return { ok: false, failure: words, lost: false };
    }
  }

  /**
   * A new worker takes the place of one that was lost and goes on from the last checkpoint; false if none can. `generation`
   * is that of the lost one: whoever else finds it lost joins, and each death is counted once, and against the training
   * only where `cause` is.
   */
  recover(
    trainee: Trainee,
    generation: number,
    failure: Failure,
    cause: 'training' | 'question',
  ): Promise<boolean> {
    if (trainee.recovery !== null) return trainee.recovery;
    if (trainee.generation !== generation) return Promise.resolve(true);
    const recovery = this.replace(trainee, failure, cause).finally(() => {
      trainee.recovery = null;
    });
    trainee.recovery = recovery;
    return recovery;
  }

  /** Makes a checkpoint of every worker that is further than its last one. */
  async checkpoint(): Promise<void> {
    const keep = async (trainee: Trainee) => {
      const [worker] = trainee.workers;
      const { step, generation } = trainee;
      if (worker === undefined || trainee.recovery !== null || trainee.checkpoint?.step === step) return;
      const answer = await worker.call((api) => api.checkpoint(), { signal: this.life.signal });
      if (answer.ok && trainee.generation === generation) trainee.checkpoint = { step, bytes: answer.value };
    };
    await Promise.all(this.trainees.map(keep));
  }

  /** Keeps what was trained and lets go of the workers: who is asked for is there again, at a `seat`. */
  async sleep(seat = this.seat): Promise<void> {
    await this.checkpoint();
    this.seat = seat;
    for (const trainee of this.trainees) trainee.workers = [];
  }

  /** Nobody will ask this team again: what it still does ends. */
  end(): void {
    this.training = false;
    this.life.end();
  }

  /** Whether what a trainee learned could be brought back now. */
  private recoverable({ checkpoint, step }: Trainee): boolean {
    return this.training || checkpoint !== null || step === 0;
  }

  private async wake(trainee: Trainee): Promise<Result<Held>> {
    if (trainee.recovery !== null) await trainee.recovery;
    const [worker] = trainee.workers;
    if (worker !== undefined) return success(worker);
    if (this.life.over || !this.recoverable(trainee)) return failed('run', gone(null));
    let why: Failure | null = null;
    trainee.recovery ??= this.bring([trainee], 1, this.life.signal, 'worker')
      .then((answer) => {
        if (!answer.ok) why = answer.failure;
        return answer.ok;
      })
      .finally(() => {
        trainee.recovery = null;
      });
    await trainee.recovery;
    const [woken] = trainee.workers;
    if (woken !== undefined) return success(woken);
    return why === null ? failed('run', gone(null)) : { ok: false, failure: why };
  }

  private async replace(
    trainee: Trainee,
    failure: Failure,
    cause: 'training' | 'question',
  ): Promise<boolean> {
    const seats = trainee.workers.map(({ seat }) => seat);
    for (const seat of seats) seat.kill(failure.message);
    if (!this.recoverable(trainee)) {
      trainee.workers = [];
      return false;
    }
    if (cause === 'training') {
      // Steps that are done again after a death are no progress.
      if (trainee.step > trainee.diedAt) trainee.deaths = 0;
      trainee.diedAt = Math.max(trainee.diedAt, trainee.step);
      trainee.deaths += 1;
      if (trainee.deaths >= MOST_DEATHS) return false;
    }
    const [first] = seats;
    let elsewhere = '';
    if (first?.engine === 'webgpu' && trainee.deaths > MOST_GPU_DEATHS) {
      for (const seat of seats) seat.engine = 'cpu';
      elsewhere = ', on the CPU';
      this.hooks.onFallback();
    }
    const from = trainee.checkpoint?.step ?? 0;
    const goesOn = this.training ? `goes on from step ${from}` : `has the adapters of step ${from}`;
    this.hooks.onNotice(`${failure.message} A new worker ${goesOn}${elsewhere}.`);
    const ready = await this.bring([trainee], Math.max(1, seats.length), this.life.signal, 'new worker');
    if (this.life.over) return false;
    if (!ready.ok) return this.replace(trainee, ready.failure, 'training');
    this.onBack();
    return true;
  }

  /** Gives workers to these trainees, and the workers all that they need, beside each other; the first of the failures, if any. */
  private async bring(
    trainees: readonly Trainee[],
    shards: number,
    signal: AbortSignal,
    word: string,
  ): Promise<Reply<null>> {
    const places = trainees.flatMap((trainee, index) =>
      this.seatsFor(trainee, index, trainees.length, shards).map((seat) => ({ seat, trainee })),
    );
    const ready = new Set<Seat>();
    const brought = await Promise.all(
      places.map(async ({ seat, trainee }, index) => {
        const place = places.length > 1 ? ` ${index + 1} of ${places.length}` : '';
        const tell: OnProgress = (progress) => {
          // The first that is not ready yet speaks for all.
          if (signal.aborted || places.find((other) => !ready.has(other.seat))?.seat !== seat) return;
          const prefix = word === 'worker' && places.length === 1 ? '' : `${word}${place}, `;
          this.hooks.onPreparing({ ...progress, action: `${prefix}${progress.action}` });
        };
        tell({ action: 'making adapters', done: 0, total: 0 });
        const answer = await this.furnish(seat, trainee, tell, signal);
        ready.add(seat);
        return answer;
      }),
    );
    for (const answer of brought) if (!answer.ok) return answer;
    if (signal.aborted) return notAsked();
    for (const trainee of trainees) {
      trainee.workers = brought.flatMap((answer, index) =>
        answer.ok && places[index]?.trainee === trainee ? [answer.value] : [],
      );
      const step = trainee.checkpoint?.step ?? 0;
      if (step < trainee.step) trainee.ended = false;
      Object.assign(trainee, { step, asked: step, generation: trainee.generation + 1 });
    }
    return { ok: true, value: null };
  }

  /** The seats that it has, else those that are free for it: leaders of all groups first, then who shares their steps. */
  private seatsFor(trainee: Trainee, index: number, groups: number, shards: number): Seat[] {
    if (trainee.workers.length > 0) return trainee.workers.map(({ seat }) => seat);
    const own =
      groups === this.trainees.length || this.trainees.length === 0 ? index : this.trainees.indexOf(trainee);
    const all = Math.max(groups, this.trainees.length);
    const helpers = Array.from({ length: shards - 1 }, (_, at) => all + own * (shards - 1) + at);
    return [own, ...helpers].map((at) => this.seat(at));
  }

  /** One worker of a trainee, with its runs, at its checkpoint. */
  private async furnish(
    seat: Seat,
    { runs: own, checkpoint }: Trainee,
    onProgress: OnProgress,
    signal: AbortSignal,
  ): Promise<Reply<Held>> {
    const given = await this.hooks.equip(seat, onProgress, signal);
    if (!given.ok) return given;
    const { held } = seat;
    const runs = own.flatMap((run) => this.settings.runs[run] ?? []);
    // What began in half precision goes on without it on the CPU, which has none.
    const half_precision = this.settings.half_precision && !(this.hasBegun && seat.engine === 'cpu');
    const answer = await held.call((api) => api.configure({ ...this.settings, half_precision, runs }), {
      signal,
    });
    if (!answer.ok) {
      const field = globalField(answer.failure.field, own);
      return { ...answer, failure: { ...answer.failure, field } };
    }
    if (checkpoint === null) return { ok: true, value: held };
    const restored = await held.call((api) => api.restore(checkpoint.bytes), { signal });
    return restored.ok ? { ok: true, value: held } : restored;
  }
}

function gone(failure: Failure | null): string {
  const why = failure === null ? '' : ` ${failure.message}`;
  return `The trained adapters are gone with their worker.${why} Train again; with Checkpoint every above 0 they are kept.`;
}
