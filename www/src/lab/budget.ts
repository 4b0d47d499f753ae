import { Signal } from '../signal';

/** What the page knows of the machine. */
export interface Machine {
  /** Logical cores. */
  cores: number;
  /** Bytes; 0 where the browser does not tell. */
  memory: number;
}

/** What a training takes of the machine until it is over. */
export interface Share extends Machine {
  /** Whether it computes on the GPU, of which there is one. */
  gpu: boolean;
}

/** Who uses a part of the machine, in words that follow "waiting for". */
export interface Holder {
  name: string;
}

/** The machine's cores, memory and GPU, shared by all labs of the page: who trains holds what it uses. */
export class Budget {
  /** Who holds something now. */
  readonly holders = new Signal<readonly Holder[]>([]);
  private readonly shares = new Map<Holder, Share>();
  private waiting: (() => void)[] = [];

  constructor(readonly machine: Machine) {}

  /** What others leave. `memory` is 0 where it is unknown, and never where it is used up. */
  free(holder: Holder): Machine {
    const others = [...this.shares].filter(([other]) => other !== holder).map(([, share]) => share);
    const used = others.reduce(
      (sum, { cores, memory }) => ({ cores: sum.cores + cores, memory: sum.memory + memory }),
      { cores: 0, memory: 0 },
    );
    const { cores, memory } = this.machine;
    return {
      cores: Math.max(0, cores - used.cores),
      memory: memory === 0 ? 0 : Math.max(1, memory - used.memory),
    };
  }

  /** Whom a training of this holder would have to wait for; undefined where it can begin. */
  inTheWay(holder: Holder, gpu: boolean): Holder | undefined {
    const others = [...this.shares].filter(([other]) => other !== holder);
    if (gpu) return others.find(([, share]) => share.gpu)?.[0];
    return this.free(holder).cores > 0 ? undefined : others.find(([, share]) => share.cores > 0)?.[0];
  }

  /**
   * Resolves when nobody is in the way any more, or when `signal` aborts; tells for whom it waits. All that is free is held
   * from then on, until the holder knows what it uses: of two who wait, one begins.
   */
  async room(
    holder: Holder,
    gpu: boolean,
    signal: AbortSignal,
    onWait: (other: Holder) => void,
  ): Promise<void> {
    while (!signal.aborted) {
      const other = this.inTheWay(holder, gpu);
      if (other === undefined) return this.hold(holder, { ...this.free(holder), memory: 0, gpu });
      onWait(other);
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** From now on the holder uses this, in place of what it used before. */
  hold(holder: Holder, share: Share): void {
    this.shares.set(holder, share);
    this.tell();
  }

  /** The holder uses nothing any more. */
  release(holder: Holder): void {
    if (this.shares.delete(holder)) this.tell();
  }

  private tell(): void {
    this.holders.set([...this.shares.keys()]);
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
