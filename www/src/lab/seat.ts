import type { EngineName } from '../engine/engine-module';
import type { Reply, WorkerApi } from '../engine/worker-api';
import type { EngineReport, Failure } from '../protocol';
import { failed } from '../result';
import { keepProducts, recallProducts } from '../store/product-store';
import { lostWords } from './lost';
import type { SpawnWorker, WorkerLink } from './worker-link';

/** Something that a worker is given and keeps. */
export interface Gift<Value, Thing = unknown> {
  name: string;
  thing: Thing;
  /** Names of what the worker has no more from the moment on that it is asked. */
  costs: readonly string[];
  /** Whether a worker that has one need not be given the other; by default where they are one object. */
  same?(one: Thing, other: Thing): boolean;
  ask(api: WorkerApi): Promise<Reply<Value>>;
}

/** What a question is asked under. */
export interface Terms {
  /** Ends the question, and no other: before its turn it is not asked. */
  signal?: AbortSignal | undefined;
  /** The worker may be ended where it does not listen to that. */
  impatient?: boolean;
}

/** How a seat is furnished. */
export interface SeatOptions {
  onKernel?: ((count: number) => void) | undefined;
  /** How long a cancelled load may take to end, in milliseconds. */
  patience?: number | undefined;
  /** Told whenever a question begins or ends. */
  onUse?: (() => void) | undefined;
}

// A callback's `false` stops a load between two tensors; a worker that does not get that far is replaced.
const PATIENCE_MS = 1500;

/** The worker that a seat has, as long as it lives. */
class Occupant {
  /** Of the questions that it was asked; a cancellation names one. */
  asked = 0;
  starting: Promise<Reply<EngineReport>> | null = null;
  readonly given = new Map<string, { thing: unknown; value: unknown }>();
  /** Why it is gone; null while it lives. */
  gone: Failure | null = null;

  constructor(readonly link: WorkerLink) {}
}

/** A worker, and not whoever takes its place: what was told to it is gone with it. */
export class Held {
  constructor(
    readonly seat: Seat,
    private readonly occupant: Occupant | null,
  ) {}

  /** Asks it, after all earlier questions; once it is gone, it is lost for every question. */
  call<Value>(question: (api: WorkerApi) => Promise<Reply<Value>>, terms?: Terms): Promise<Reply<Value>> {
    return this.seat.callOf(this.occupant, question, terms);
  }
}

/** One worker's place: it remembers what its worker was given, so that a new worker can take over. */
export class Seat {
  private occupant: Occupant | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  /** Why nobody will sit here any more; null while somebody may. */
  private closed: Failure | null = null;

  constructor(
    public engine: EngineName,
    private readonly spawn: SpawnWorker,
    private readonly options: SeatOptions = {},
  ) {}

  /** Whether a question is being answered, or waits for its turn. */
  get busy(): boolean {
    return this.waiting > 0;
  }

  /** Whether its worker, if there is one, has been given nothing yet. */
  get isEmpty(): boolean {
    return this.occupant === null || this.occupant.given.size === 0;
  }

  /** The worker of now; a new, empty one where there is none. */
  get held(): Held {
    return new Held(this, this.closed === null ? this.occupy() : null);
  }

  /** Asks whatever worker is there when it is the question's turn: only for what needs nothing given. */
  call<Value>(question: (api: WorkerApi) => Promise<Reply<Value>>, terms?: Terms): Promise<Reply<Value>> {
    return this.inTurn(() => this.ask(this.closed === null ? this.occupy() : null, question, terms));
  }

  /** As `Held.call`. A question asks its worker one thing. */
  callOf<Value>(
    occupant: Occupant | null,
    question: (api: WorkerApi) => Promise<Reply<Value>>,
    terms?: Terms,
  ): Promise<Reply<Value>> {
    return this.inTurn(() => this.ask(occupant, question, terms));
  }

  /** Ends the worker; the next question starts a new, empty one. */
  kill(reason: string): void {
    const { occupant } = this;
    if (occupant !== null) this.leave(occupant, { place: 'engine', field: null, message: reason });
  }

  /** Ends the worker, and no other will come: whatever is asked here is lost. */
  close(reason: string): void {
    this.closed ??= { place: 'engine', field: null, message: reason };
    this.kill(reason);
  }

  /** For tests: the worker ends as if the browser had ended it. */
  crash(reason: string): void {
    this.occupant?.link.terminate(reason);
  }

  /** For tests: the GPU goes away, and the worker stays to tell. */
  loseDevice(): Promise<void> | undefined {
    return this.occupant?.link.api.loseDevice();
  }

  /** Starts the engine of the worker of now: once, however many ask for it. */
  startEngine(): Promise<Reply<EngineReport>> {
    if (this.closed !== null) return Promise.resolve(lostReply(this.closed));
    const occupant = this.occupy();
    occupant.starting ??= this.start(occupant);
    return occupant.starting;
  }

  /** Whether the worker has been given something of this name. */
  has(name: string): boolean {
    return this.occupant?.given.has(name) ?? false;
  }

  /** What the worker answered to the gift: now, or before if it has it. */
  async give<Value, Thing>(gift: Gift<Value, Thing>, signal?: AbortSignal): Promise<Reply<Value>> {
    if (this.closed !== null) return lostReply(this.closed);
    let asked = false;
    const occupant = this.occupy();
    const started = await this.startEngine();
    if (!started.ok) return started;
    const answer = await this.inTurn(async () => {
      if (occupant.gone !== null) return lostReply(occupant.gone);
      asked = true;
      // In its turn: what an earlier question is giving now is given then.
      const before = occupant.given.get(gift.name);
      const same = gift.same ?? Object.is;
      // Under one name is always given one kind of thing.
      if (before !== undefined && same(before.thing as Thing, gift.thing)) {
        return { ok: true, value: before.value as Value };
      }
      if (signal?.aborted) return notAsked();
      for (const name of gift.costs) occupant.given.delete(name);
      const answer = await this.ask(occupant, (api) => gift.ask(api), { signal, impatient: true });
      if (answer.ok) occupant.given.set(gift.name, { thing: gift.thing, value: answer.value });
      return answer;
    });
    // It went while this waited for its turn: whoever came in its place is given it.
    return asked ? answer : this.give(gift, signal);
  }

  private inTurn<Value>(action: () => Promise<Reply<Value>>): Promise<Reply<Value>> {
    this.waiting += 1;
    this.options.onUse?.();
    const turn = this.queue.then(action).finally(() => {
      this.waiting -= 1;
      this.options.onUse?.();
    });
    this.queue = turn;
    return turn;
  }

  private async ask<Value>(
    occupant: Occupant | null,
    question: (api: WorkerApi) => Promise<Reply<Value>>,
    { signal, impatient = false }: Terms = {},
  ): Promise<Reply<Value>> {
    if (signal?.aborted) return notAsked();
    if (occupant === null) return lostReply(this.closed ?? ended);
    if (occupant.gone !== null) return lostReply(occupant.gone);
    const { api, died } = occupant.link;
    occupant.asked += 1;
    const number = occupant.asked;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => {
      void api.cancel(number);
      if (!impatient) return;
      const end = () => this.leave(occupant, { ...ended, message: 'Loading was cancelled.' });
      timer = setTimeout(end, this.options.patience ?? PATIENCE_MS);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    const broken = (thrown: unknown): Reply<Value> => lostReply(linkFailure(thrown));
    const gone = died.then((failure): Reply<Value> => lostReply(occupant.gone ?? this.words(failure)));
    const answer = await Promise.race([question(api).catch(broken), gone]);
    signal?.removeEventListener('abort', cancel);
    clearTimeout(timer);
    if (answer.ok || !answer.lost) return answer;
    // A trapped module answers nonsense to whatever comes next.
    const failure = occupant.gone ?? this.words(answer.failure);
    this.leave(occupant, failure);
    return lostReply(failure);
  }

  private async start(occupant: Occupant): Promise<Reply<EngineReport>> {
    const { engine } = this;
    const { onKernel = () => undefined } = this.options;
    const known = engine === 'webgpu' ? await recallProducts() : null;
    const answer = await this.callOf(occupant, (api) => api.start(engine, known, onKernel));
    // An engine is never started twice in one worker.
    if (!answer.ok) this.leave(occupant, answer.failure);
    else if (answer.value.products !== null) await keepProducts(answer.value.products);
    return answer;
  }

  private words(failure: Failure): Failure {
    return lostWords(failure, this.engine);
  }

  private occupy(): Occupant {
    if (this.occupant !== null) return this.occupant;
    const occupant = new Occupant(this.spawn());
    this.occupant = occupant;
    // It may die while nobody asks it anything.
    void occupant.link.died.then((failure) => this.leave(occupant, this.words(failure)));
    return occupant;
  }

  private leave(occupant: Occupant, reason: Failure): void {
    if (occupant.gone !== null) return;
    occupant.gone = reason;
    if (this.occupant === occupant) this.occupant = null;
    occupant.link.terminate(reason.message);
  }
}

const ended: Failure = { place: 'engine', field: null, message: 'The worker ended.' };

function lostReply(failure: Failure): { ok: false; failure: Failure; lost: true } {
  return { ok: false, failure, lost: true };
}

/** What a question answers that was cancelled before its turn. */
export function notAsked(): { ok: false; failure: Failure; lost: false } {
  return { ...failed('run', 'It was cancelled.'), lost: false };
}

function linkFailure(thrown: unknown): Failure {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return { place: 'engine', field: null, message: `The worker cannot be reached: ${words}` };
}
