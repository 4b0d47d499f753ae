/** What the tabs of this page know of each other: who holds what, and that something which all share has changed. */
export interface BrowserTabs {
  /** Takes `name` until it is given back or this tab is gone; answers what gives it back, or null where it is taken. */
  hold(name: string): Promise<(() => void) | null>;
  /** The names with this beginning that tabs hold, this one too. */
  held(beginning: string): Promise<ReadonlySet<string>>;
  /** Resolves when nobody holds `name` any more. */
  free(name: string): Promise<void>;
  /** Does `work` while no other tab does any under this name. */
  alone<Value>(name: string, work: () => Promise<Value>): Promise<Value>;
  /** Tells the other tabs that what `topic` stands for has changed. */
  tell(topic: string): void;
  /** Calls `reader` when another tab tells of `topic`. */
  listen(topic: string, reader: () => void): void;
}

// Other pages of the same origin have locks and channels too.
const OWN = 'riemann-lora.';

/** The tabs of this browser. Where it has no locks, as on insecure origins, each tab is alone. */
export function browserTabs(): BrowserTabs {
  const locks = globalThis.navigator?.locks;
  const channel = globalThis.BroadcastChannel === undefined ? null : new BroadcastChannel(`${OWN}tabs`);
  return { ...(locks === undefined ? ownLocks() : browserLocks(locks)), ...messages(channel) };
}

type Locks = Pick<BrowserTabs, 'hold' | 'held' | 'free' | 'alone'>;

function browserLocks(locks: LockManager): Locks {
  return {
    hold: (name) =>
      new Promise((resolve, reject) => {
        const taken = (lock: Lock | null) => {
          if (lock === null) return resolve(null);
          return new Promise<void>((release) => resolve(release));
        };
        locks.request(OWN + name, { ifAvailable: true }, taken).catch(reject);
      }),
    async held(beginning) {
      const { held = [] } = await locks.query();
      const names = held.flatMap(({ name = '' }) => (name.startsWith(OWN + beginning) ? [name] : []));
      return new Set(names.map((name) => name.slice(OWN.length)));
    },
    // Shared, so that those who wait do not wait for each other.
    free: (name) => locks.request(OWN + name, { mode: 'shared' }, () => {}),
    alone: (name, work) => locks.request(OWN + name, work),
  };
}

function ownLocks(): Locks {
  const held = new Map<string, Promise<void>>();
  const take = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held.set(name, promise);
    return () => {
      held.delete(name);
      resolve();
    };
  };
  return {
    hold: async (name) => (held.has(name) ? null : take(name)),
    held: async (beginning) => new Set([...held.keys()].filter((name) => name.startsWith(beginning))),
    free: async (name) => held.get(name),
    async alone(name, work) {
      while (held.has(name)) await held.get(name);
      const release = take(name);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}

function messages(channel: BroadcastChannel | null): Pick<BrowserTabs, 'tell' | 'listen'> {
  return {
    tell: (topic) => channel?.postMessage(topic),
    listen: (topic, reader) =>
      channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        if (data === topic) reader();
      }),
  };
}
