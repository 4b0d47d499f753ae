import { failed, type Result, success } from '../src/result';
import type { Edit, Shelf } from '../src/runs/shelf';
import type { BrowserTabs } from '../src/store/browser-tabs';

/** A browser with several tabs: locks queue, and messages reach all but the tab that sends them, later. */
export class FakeBrowser {
  private readonly holders = new Map<string, FakeTab>();
  private readonly waiting = new Map<string, (() => void)[]>();
  private readonly queues = new Map<string, Promise<unknown>>();
  private readonly tabs = new Set<FakeTab>();

  open(): FakeTab {
    const tab = new FakeTab(this);
    this.tabs.add(tab);
    return tab;
  }

  has(tab: FakeTab): boolean {
    return this.tabs.has(tab);
  }

  /** The tab is gone, and with it all that it held. */
  close(tab: FakeTab): void {
    this.tabs.delete(tab);
    for (const [name, holder] of [...this.holders]) if (holder === tab) this.release(name);
  }

  take(name: string, tab: FakeTab): boolean {
    if (this.holders.has(name)) return false;
    this.holders.set(name, tab);
    return true;
  }

  release(name: string): void {
    this.holders.delete(name);
    for (const resolve of this.waiting.get(name) ?? []) resolve();
    this.waiting.delete(name);
  }

  get held(): string[] {
    return [...this.holders.keys()];
  }

  async free(name: string): Promise<void> {
    if (!this.holders.has(name)) return;
    await new Promise<void>((resolve) => {
      this.waiting.set(name, [...(this.waiting.get(name) ?? []), resolve]);
    });
  }

  queue<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    const turn = (this.queues.get(name) ?? Promise.resolve()).then(work);
    this.queues.set(
      name,
      turn.catch(() => {}),
    );
    return turn;
  }

  send(topic: string, from: FakeTab): void {
    setTimeout(() => {
      for (const tab of this.tabs) if (tab !== from) tab.hear(topic);
    });
  }
}

/** One of its tabs. */
export class FakeTab implements BrowserTabs {
  private readonly readers: [string, () => void][] = [];

  constructor(private readonly browser: FakeBrowser) {}

  async hold(name: string): Promise<(() => void) | null> {
    // Nothing goes on in a tab that is gone.
    if (!this.browser.has(this)) return new Promise(() => {});
    return this.browser.take(name, this) ? () => this.browser.release(name) : null;
  }

  async held(beginning: string): Promise<ReadonlySet<string>> {
    return new Set(this.browser.held.filter((name) => name.startsWith(beginning)));
  }

  free(name: string): Promise<void> {
    return this.browser.free(name);
  }

  alone<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    return this.browser.queue(name, work);
  }

  tell(topic: string): void {
    this.browser.send(topic, this);
  }

  listen(topic: string, reader: () => void): void {
    this.readers.push([topic, reader]);
  }

  hear(topic: string): void {
    for (const [name, reader] of this.readers) if (name === topic) reader();
  }

  close(): void {
    this.browser.close(this);
  }
}

/** A shelf that all tabs of a browser share: a write comes whole or not at all, one after the other, and takes time. */
export class FakeShelf<Value> implements Shelf<Value> {
  /** Why the browser refuses all; empty where it does not. */
  refuses = '';

  constructor(
    readonly kept = new Map<string, Value>(),
    private readonly browser = new FakeBrowser(),
    private readonly tab = browser.open(),
  ) {}

  /** The same shelf as another tab has it. */
  inAnotherTab(): FakeShelf<Value> {
    return new FakeShelf(this.kept, this.browser);
  }

  all(): Promise<Result<Value[]>> {
    return this.transaction(() => [...this.kept.values()].map((value) => structuredClone(value)));
  }

  async edit(edits: ReadonlyMap<string, Edit<Value>>): Promise<Result<Map<string, Value | undefined>>> {
    return this.write(() => {
      const after = new Map([...edits].map(([name, edit]) => [name, edit(this.kept.get(name))] as const));
      for (const [name, value] of after) {
        if (value === undefined) this.kept.delete(name);
        else this.kept.set(name, structuredClone(value));
      }
      return after;
    });
  }

  size(): Promise<Result<number>> {
    return this.transaction(() => this.kept.size);
  }

  async clear(): Promise<Result<null>> {
    return this.write(() => {
      this.kept.clear();
      return null;
    });
  }

  listen(reader: () => void): void {
    this.tab.listen('shelf', reader);
  }

  private async write<Answer>(work: () => Answer): Promise<Result<Answer>> {
    const answer = await this.transaction(work);
    if (answer.ok) this.tab.tell('shelf');
    return answer;
  }

  private transaction<Answer>(work: () => Answer): Promise<Result<Answer>> {
    return this.browser.queue('shelf', async () => {
      await new Promise((resolve) => setTimeout(resolve));
      return this.refuses === '' ? success(work()) : failed('runs', this.refuses);
    });
  }
}
