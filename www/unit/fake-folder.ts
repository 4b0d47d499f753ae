import type { Folder } from '../src/store/folder';

/** A folder in memory that can be full, and that can break off. */
export class FakeFolder implements Folder {
  /** Bytes that all files together may have. */
  quota = Number.POSITIVE_INFINITY;
  /** So many times it is written to; then there is no more room. */
  writesLeft = Number.POSITIVE_INFINITY;
  /** A name that is written in half, after which nothing is written any more: the tab died. */
  diesAt: RegExp | null = null;
  readonly written: string[] = [];
  private dead = false;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(readonly files = new Map<string, Blob>()) {}

  async names(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async read(name: string): Promise<Blob | null> {
    return this.files.get(name) ?? null;
  }

  async write(name: string, content: Blob): Promise<void> {
    if (this.dead) throw new Error('the tab is gone');
    if (this.diesAt?.test(name)) {
      this.dead = true;
      this.files.set(name, content.slice(0, Math.floor(content.size / 2)));
      throw new Error('the tab died');
    }
    this.writesLeft -= 1;
    if (this.writesLeft < 0) throw new DOMException('full', 'QuotaExceededError');
    const others = [...this.files].filter(([other]) => other !== name);
    const used = others.reduce((sum, [, blob]) => sum + blob.size, 0);
    if (used + content.size > this.quota) throw new DOMException('full', 'QuotaExceededError');
    this.files.set(name, content);
    this.written.push(name);
  }

  async remove(name: string): Promise<void> {
    if (!this.dead) this.files.delete(name);
  }

  async hasRoom(bytes: number): Promise<boolean> {
    const used = [...this.files.values()].reduce((sum, blob) => sum + blob.size, 0);
    return this.quota - used > bytes;
  }

  alone<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.queue.then(work);
    this.queue = turn.catch(() => {});
    return turn;
  }

  /** The browser frees everything, as it may of any site. */
  evict(): void {
    this.files.clear();
  }

  /** The same folder as a tab has it that opens after this one died. */
  inNextTab(): FakeFolder {
    return new FakeFolder(this.files);
  }

  /** The tab lives again. */
  revive(): void {
    this.dead = false;
    this.diesAt = null;
  }
}
