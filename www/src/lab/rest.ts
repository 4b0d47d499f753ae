/** Ends what is idle: `act` is called when there was no work for `after` milliseconds. */
export class Rest {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly after: number,
    private readonly act: () => void,
  ) {}

  /** Told whenever work begins or ends. */
  use(busy: boolean): void {
    clearTimeout(this.timer);
    this.timer = busy ? undefined : setTimeout(this.act, this.after);
  }
}
