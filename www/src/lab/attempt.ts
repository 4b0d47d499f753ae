/** One try at something that takes time. Whatever comes late asks its attempt whether it is still wanted. */
export class Attempt {
  private static made = 0;
  /** Grows from attempt to attempt. */
  readonly id: number;
  private readonly controller = new AbortController();

  constructor() {
    Attempt.made += 1;
    this.id = Attempt.made;
  }

  /** Aborts when the attempt is given up: what it asked of workers ends, and nothing else does. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether it was given up. */
  get over(): boolean {
    return this.controller.signal.aborted;
  }

  /** Gives it up. */
  end(): void {
    this.controller.abort();
  }
}
