import type { Failure } from '../protocol';
import { Signal } from '../signal';
import type { Shelf } from './shelf';

/** What of a book is on its shelf. Where the browser refuses, the book goes on in memory and `failure` says so. */
export class Kept<Value> {
  /** Why values are not kept for the next visit. */
  readonly failure = new Signal<Failure | null>(null);

  constructor(
    private readonly shelf: Shelf<Value>,
    private readonly nameOf: (value: Value) => string,
    /** What the user is told of a refusal, given the browser's reason. */
    private readonly refusal: (reason: string) => Failure,
  ) {}

  /** What earlier visits left beside `here`. */
  async others(here: readonly Value[]): Promise<Value[]> {
    const found = await this.shelf.all();
    if (!found.ok) {
      this.refused(found.failure);
      return [];
    }
    const names = new Set(here.map(this.nameOf));
    return found.value.filter((value) => !names.has(this.nameOf(value)));
  }

  /** Answers whether the values are kept. */
  async keep(values: readonly Value[]): Promise<boolean> {
    const answer = await this.shelf.put(values.map((value) => [this.nameOf(value), value]));
    if (answer.ok) this.failure.set(null);
    else this.refused(answer.failure);
    return answer.ok;
  }

  async forget(values: readonly Value[]): Promise<void> {
    if (values.length === 0) return;
    const answer = await this.shelf.remove(values.map(this.nameOf));
    if (!answer.ok) this.refused(answer.failure);
  }

  private refused({ message }: Failure): void {
    this.failure.set(this.refusal(message));
  }
}
