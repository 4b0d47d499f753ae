import type { BrowserTabs } from '../store/browser-tabs';

/** Which tab has which kept training: each belongs to one. */
export class Ownership {
  private readonly own = new Map<string, Promise<(() => void) | null>>();
  private readonly awaited = new Set<string>();

  constructor(
    private readonly tabs: BrowserTabs,
    private readonly folder: string,
    /** What is kept, or who has it, may be another in another tab. */
    private readonly onChange: () => void,
  ) {
    tabs.listen(folder, onChange);
  }

  /** Whether it is this tab's now; it is until `release`, or until the tab is gone. */
  async take(id: string): Promise<boolean> {
    const holding = this.own.get(id) ?? this.tabs.hold(this.lockOf(id));
    this.own.set(id, holding);
    if ((await holding) !== null) return true;
    this.own.delete(id);
    return false;
  }

  has(id: string): boolean {
    return this.own.has(id);
  }

  async release(id: string): Promise<void> {
    const holding = this.own.get(id);
    this.own.delete(id);
    (await holding)?.();
    this.tell();
  }

  /** What other tabs have; when they are gone, that is a change. */
  async elsewhere(): Promise<ReadonlySet<string>> {
    const beginning = this.lockOf('');
    const held = [...(await this.tabs.held(beginning))].map((name) => name.slice(beginning.length));
    const others = held.filter((id) => !this.own.has(id));
    for (const id of others) void this.await(id);
    return new Set(others);
  }

  /** Tells the other tabs that something is kept, or is kept no more. */
  tell(): void {
    this.tabs.tell(this.folder);
  }

  private async await(id: string): Promise<void> {
    if (this.awaited.has(id)) return;
    this.awaited.add(id);
    await this.tabs.free(this.lockOf(id));
    this.awaited.delete(id);
    this.onChange();
  }

  private lockOf(id: string): string {
    return `${this.folder} ${id}`;
  }
}
