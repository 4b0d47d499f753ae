import type { Failure } from '../protocol';
import { type Result, success } from '../result';
import { Signal } from '../signal';
import type { Shelf } from './shelf';

/** What a book has to know of its values. */
export interface BookOptions<Value> {
  nameOf(value: Value): string;
  /** Which of two values comes first. */
  order(one: Value, other: Value): number;
  /** What the user is told of a refusal, given the browser's reason. */
  refusal(reason: string): Failure;
}

/** Values that stay for the next visit. Where the browser refuses, the book goes on in memory and `failure` says so. */
export class ShelvedBook<Value> {
  readonly failure = new Signal<Failure | null>(null);
  protected readonly values = new Signal<readonly Value[]>([]);

  constructor(
    private readonly shelf: Shelf<Value>,
    private readonly options: BookOptions<Value>,
  ) {}

  /** Reads what earlier visits left. */
  async open(): Promise<void> {
    const found = await this.shelf.all();
    if (!found.ok) return this.refused(found.failure);
    const here = this.values.value;
    const names = new Set(here.map(this.options.nameOf));
    const others = found.value.filter((value) => !names.has(this.options.nameOf(value)));
    this.values.set(this.ordered([...here, ...others]));
  }

  /** Bytes of what is on the shelf, about; 0 where it cannot be read. */
  async size(): Promise<number> {
    const found = await this.shelf.size();
    return found.ok ? found.value : 0;
  }

  /** Forgets everything, here and on the shelf. */
  async empty(): Promise<Result<null>> {
    const answer = await this.shelf.clear();
    if (answer.ok) this.values.set([]);
    return answer.ok ? success(null) : answer;
  }

  /** In the book's order. */
  protected ordered(values: readonly Value[]): Value[] {
    return [...values].sort(this.options.order);
  }

  /** Answers whether the values are kept. */
  protected async keep(values: readonly Value[]): Promise<boolean> {
    const answer = await this.shelf.put(values.map((value) => [this.options.nameOf(value), value]));
    if (answer.ok) this.failure.set(null);
    else this.refused(answer.failure);
    return answer.ok;
  }

  /** Takes out what fits, here and on the shelf, and answers it. */
  protected async takeOut(fits: (value: Value) => boolean): Promise<Value[]> {
    const gone = this.values.value.filter(fits);
    this.values.set(this.values.value.filter((value) => !fits(value)));
    await this.forget(gone);
    return gone;
  }

  protected async forget(values: readonly Value[]): Promise<void> {
    if (values.length === 0) return;
    const answer = await this.shelf.remove(values.map(this.options.nameOf));
    if (!answer.ok) this.refused(answer.failure);
  }

  private refused({ message }: Failure): void {
    this.failure.set(this.options.refusal(message));
  }
}
