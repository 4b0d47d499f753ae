import type { EngineName } from '../engine/engine-module';
import type { Reply, WorkerApi } from '../engine/worker-api';
import type { EngineReport, Failure } from '../protocol';
import { keepProducts, recallProducts } from '../store/product-store';
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

/** One worker's place: it remembers what its worker was given, so that a new worker can take over. */
export class Seat {
  private link: WorkerLink | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private report: EngineReport | null = null;
  private given = new Map<string, { thing: unknown; value: unknown }>();

  constructor(
    public engine: EngineName,
    private readonly spawn: SpawnWorker,
    private readonly onKernel: (count: number) => void = () => undefined,
  ) {}

  /** Asks the worker, after all earlier questions; a worker that dies meanwhile is an answer too. */
  call<Value>(question: (api: WorkerApi) => Promise<Reply<Value>>): Promise<Reply<Value>> {
    const turn = this.queue.then(async (): Promise<Reply<Value>> => {
      this.link ??= this.spawn();
      const { api, died } = this.link;
      const lost = died.then((failure): Reply<Value> => ({ ok: false, failure, lost: true }));
      const broken = (thrown: unknown): Reply<Value> => ({
        ok: false,
        failure: linkFailure(thrown),
        lost: true,
      });
      const answer = await Promise.race([question(api).catch(broken), lost]);
      // A trapped module answers nonsense to whatever comes next.
      if (!answer.ok && answer.lost) this.kill(answer.failure.message);
      return answer;
    });
    this.queue = turn;
    return turn;
  }

  /** Ends the worker; the next question starts a new, empty one. */
  kill(reason: string): void {
    this.link?.terminate(reason);
    this.link = null;
    this.report = null;
    this.given.clear();
  }

  /** For tests: the worker ends as if the browser had ended it. */
  crash(reason: string): void {
    this.link?.terminate(reason);
  }

  /** For tests: the GPU goes away, and the worker stays to tell. */
  loseDevice(): Promise<void> | undefined {
    return this.link?.api.loseDevice();
  }

  /** Asks the running action to stop. */
  cancel(): void {
    void this.link?.api.cancel();
  }

  async startEngine(): Promise<Reply<EngineReport>> {
    if (this.report !== null) return { ok: true, value: this.report };
    const { engine } = this;
    const known = engine === 'webgpu' ? await recallProducts() : null;
    const answer = await this.call((api) => api.start(engine, known, this.onKernel));
    if (!answer.ok) return answer;
    this.report = answer.value;
    if (answer.value.products !== null) await keepProducts(answer.value.products);
    return answer;
  }

  /** Whether the worker has been given something of this name. */
  has(name: string): boolean {
    return this.given.has(name);
  }

  /** What the worker answered to the gift: now, or before if it has it. */
  async give<Value, Thing>(gift: Gift<Value, Thing>): Promise<Reply<Value>> {
    const before = this.given.get(gift.name);
    const same = gift.same ?? Object.is;
    // Under one name is always given one kind of thing.
    if (before !== undefined && same(before.thing as Thing, gift.thing)) {
      return { ok: true, value: before.value as Value };
    }
    const started = await this.startEngine();
    if (!started.ok) return started;
    for (const name of gift.costs) this.given.delete(name);
    const answer = await this.call((api) => gift.ask(api));
    if (answer.ok) this.given.set(gift.name, { thing: gift.thing, value: answer.value });
    return answer;
  }
}

function linkFailure(thrown: unknown): Failure {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return { place: 'engine', field: null, message: `The worker cannot be reached: ${words}` };
}
