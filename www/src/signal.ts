/** A value that tells its readers when it changes. */
export class Signal<Value> {
  // In objects with a method: so a signal of more can be handed to those who read less.
  private readers = new Set<{ read(value: Value): void }>();

  constructor(private current: Value) {}

  get value(): Value {
    return this.current;
  }

  set(value: Value): void {
    if (Object.is(value, this.current)) return;
    this.current = value;
    for (const reader of [...this.readers]) reader.read(value);
  }

  /** Replaces some fields of an object. */
  patch(part: Partial<Value>): void {
    this.set({ ...this.current, ...part });
  }

  /** Calls `reader` on every change; the returned function ends that. */
  subscribe(reader: (value: Value) => void): () => void {
    const own = { read: reader };
    this.readers.add(own);
    return () => this.readers.delete(own);
  }

  /** Calls `reader` when `partOf` the value has another content, however often the rest changes. */
  subscribeTo<Part>(partOf: (value: Value) => Part, reader: (part: Part) => void): () => void {
    let before = JSON.stringify(partOf(this.current));
    return this.subscribe((value) => {
      const part = partOf(value);
      const now = JSON.stringify(part);
      if (now === before) return;
      before = now;
      reader(part);
    });
  }

  /** Calls `reader` now and on every change. */
  watch(reader: (value: Value) => void): () => void {
    reader(this.current);
    return this.subscribe(reader);
  }
}
