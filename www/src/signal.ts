import { Immer } from 'immer';

const immer = new Immer({ autoFreeze: false });

/** A value that tells its readers when it changes. */
export abstract class Readable<Value> {
  // In objects with a method: so a signal of more can be handed to those who read less.
  private readers = new Set<{ read(value: Value): void }>();

  abstract get value(): Value;

  /** Calls `reader` on every change; the returned function ends that. */
  subscribe(reader: (value: Value) => void): () => void {
    const own = { read: reader };
    this.readers.add(own);
    return () => this.readers.delete(own);
  }

  /** Calls `reader` when `partOf` the value has another content, however often the rest changes. */
  subscribeTo<Part>(partOf: (value: Value) => Part, reader: (part: Part) => void): () => void {
    let before = partOf(this.value);
    return this.subscribe((value) => {
      const part = partOf(value);
      if (isSame(part, before)) return;
      before = part;
      reader(part);
    });
  }

  /** Calls `reader` now and on every change. */
  watch(reader: (value: Value) => void): () => void {
    reader(this.value);
    return this.subscribe(reader);
  }

  /** Calls `reader` now and when `partOf` the value has another content. */
  watchTo<Part>(partOf: (value: Value) => Part, reader: (part: Part) => void): () => void {
    reader(partOf(this.value));
    return this.subscribeTo(partOf, reader);
  }

  protected tell(): void {
    const { value } = this;
    for (const reader of [...this.readers]) reader.read(value);
  }
}

/** A value that is set. */
export class Signal<Value> extends Readable<Value> {
  constructor(private current: Value) {
    super();
  }

  get value(): Value {
    return this.current;
  }

  set(value: Value): void {
    const before = this.current;
    if (Object.is(value, before)) return;
    this.current = value;
    if (waiting === null) this.tell();
    else if (!waiting.has(this)) waiting.set(this, () => !Object.is(before, this.current) && this.tell());
  }

  /** Changes the value by what `change` does to it: parts that are left alone stay the objects that they are. */
  edit(change: (value: Value) => void): void {
    this.set(
      immer.produce(this.current, (draft) => {
        change(draft as Value);
      }),
    );
  }

  /** Replaces some fields of an object. */
  patch(part: Partial<Value>): void {
    this.set({ ...this.current, ...part });
  }
}

/** What is told at the end of a batch; null outside of one. */
let waiting: Map<unknown, () => unknown> | null = null;

/** Does `work`, and tells readers what changed when all of it is done: each once, and none of something between. */
export function batch<Answer>(work: () => Answer): Answer {
  if (waiting !== null) return work();
  const told = new Map<unknown, () => unknown>();
  waiting = told;
  try {
    return work();
  } finally {
    waiting = null;
    for (const tell of told.values()) tell();
  }
}

/** Values of signals. */
type Values<Sources> = { [Key in keyof Sources]: Sources[Key] extends Readable<infer Value> ? Value : never };

/**
 * A value that follows from others. It is computed when it is asked for and something it follows from has changed, and
 * tells its readers where its content is another.
 */
export class Computed<Value, const Sources extends readonly Readable<unknown>[]> extends Readable<Value> {
  private seen: readonly unknown[];
  private current: Value;
  private told: Value;

  constructor(
    private readonly sources: Sources,
    private readonly compute: (...values: Values<Sources>) => Value,
  ) {
    super();
    this.seen = sources.map(({ value }) => value);
    this.current = compute(...(this.seen as Values<Sources>));
    this.told = this.current;
    for (const source of sources) source.subscribe(() => this.look());
  }

  get value(): Value {
    if (this.sources.some(({ value }, index) => !Object.is(value, this.seen[index]))) {
      this.seen = this.sources.map(({ value }) => value);
      const next = this.compute(...(this.seen as Values<Sources>));
      if (!isSame(next, this.current)) this.current = next;
    }
    return this.current;
  }

  private look(): void {
    const { value } = this;
    if (Object.is(value, this.told)) return;
    this.told = value;
    this.tell();
  }
}

/** Whether two values have the same content. Parts that are the same object are not looked into. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (one instanceof Map && other instanceof Map) return isSame([...one], [...other]);
  if (!isPlain(one) || !isPlain(other)) return false;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return (
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(Reflect.get(one, key), Reflect.get(other, key)))
  );
}

/** Whether all of an object is in its keys. */
function isPlain(thing: object): boolean {
  const prototype = Object.getPrototypeOf(thing);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
