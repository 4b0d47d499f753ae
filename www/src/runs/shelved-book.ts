import type { Failure } from '../protocol';
import { type Result, success } from '../result';
import { Signal } from '../signal';
import type { Edit, Shelf } from './shelf';

/** What a book has to know of its values. */
export interface BookOptions<Value> {
  nameOf(value: Value): string;
  /** Which of two values comes first. */
  order(one: Value, other: Value): number;
  /** What is there after a value was added where one of its name was. */
  merge(before: Value, added: Value): Value;
  /** What the user is told of a refusal, given the browser's reason. */
  refusal(reason: string): Failure;
}

/**
 * Values that stay for the next visit, the same in all tabs. Where the browser refuses, the book goes on in memory and
 * `failure` says so.
 */
export class ShelvedBook<Value> {
  readonly failure = new Signal<Failure | null>(null);
  /** How many changes are on their way to the shelf: a page that is left before they arrive loses them. */
  readonly underWay = new Signal<number>(0);
  protected readonly values = new Signal<readonly Value[]>([]);
  /** What is not on the shelf: it is on its way there, or was refused. */
  private readonly unkept = new Map<string, Value>();
  /** What is on the shelf no more for this tab: it is on its way out, or was refused that. */
  private readonly leaving = new Set<string>();
  /** Counts what begins and ends here: what was read meanwhile may be of before. */
  private writes = 0;

  constructor(
    private readonly shelf: Shelf<Value>,
    private readonly options: BookOptions<Value>,
  ) {
    shelf.listen(() => void this.open());
  }

  /** Reads what earlier visits and other tabs left. */
  async open(): Promise<void> {
    const before = this.writes;
    const found = await this.shelf.all();
    if (!found.ok) return this.refused(found.failure);
    if (before !== this.writes) return this.open();
    const { nameOf, merge } = this.options;
    const all = new Map(found.value.map((value) => [nameOf(value), value]));
    for (const name of this.leaving) all.delete(name);
    for (const [name, value] of this.unkept) {
      const kept = all.get(name);
      all.set(name, kept === undefined ? value : merge(kept, value));
    }
    this.values.set(this.ordered([...all.values()]));
  }

  /** The value of this name; undefined where there is none. */
  find(name: string): Value | undefined {
    return this.values.value.find((value) => this.options.nameOf(value) === name);
  }

  /** Bytes of what is on the shelf, about; 0 where it cannot be read. */
  async size(): Promise<number> {
    const found = await this.shelf.size();
    return found.ok ? found.value : 0;
  }

  /** Forgets everything, here and on the shelf. */
  async empty(): Promise<Result<null>> {
    const answer = await this.shelf.clear();
    if (!answer.ok) return answer;
    this.writes += 1;
    this.unkept.clear();
    this.leaving.clear();
    this.values.set([]);
    return success(null);
  }

  /** In the book's order. */
  protected ordered(values: readonly Value[]): Value[] {
    return [...values].sort(this.options.order);
  }

  /** Adds values, here and on the shelf. */
  protected async add(values: readonly Value[]): Promise<void> {
    const { nameOf, merge } = this.options;
    const shown = new Map<string, Value>();
    const edits = new Map<string, Edit<Value>>();
    for (const value of values) {
      const name = nameOf(value);
      const [here, waiting] = [this.find(name), this.unkept.get(name)];
      const added = waiting === undefined ? value : merge(waiting, value);
      this.leaving.delete(name);
      this.unkept.set(name, added);
      shown.set(name, here === undefined ? value : merge(here, value));
      edits.set(name, (before) => (before === undefined ? added : merge(before, added)));
    }
    this.show(shown);
    await this.write(edits);
  }

  /** Edits copies of the values that have these names and are still there. */
  protected async edit(names: ReadonlySet<string>, edit: (value: Value) => Value): Promise<void> {
    const shown = new Map<string, Value>();
    const edits = new Map<string, Edit<Value>>();
    for (const name of names) {
      const here = this.find(name);
      if (here === undefined) continue;
      const edited = edit(here);
      const waits = this.unkept.has(name);
      if (waits) this.unkept.set(name, edited);
      shown.set(name, edited);
      const missing = waits ? edited : undefined;
      edits.set(name, (before) => (before === undefined ? missing : edit(before)));
    }
    this.show(shown);
    await this.write(edits);
  }

  /** Takes out what fits, here and on the shelf, and answers it. */
  protected async takeOut(fits: (value: Value) => boolean): Promise<Value[]> {
    const gone = this.values.value.filter(fits);
    const names = gone.map(this.options.nameOf);
    for (const name of names) {
      this.unkept.delete(name);
      this.leaving.add(name);
    }
    this.show(new Map(names.map((name) => [name, undefined])));
    await this.write(new Map(names.map((name) => [name, () => undefined])));
    return gone;
  }

  private async write(edits: ReadonlyMap<string, Edit<Value>>): Promise<void> {
    if (edits.size === 0) return;
    const asked = new Map([...edits.keys()].map((name) => [name, this.unkept.get(name)]));
    this.writes += 1;
    this.underWay.set(this.underWay.value + 1);
    const answer = await this.shelf.edit(edits);
    this.underWay.set(this.underWay.value - 1);
    this.writes += 1;
    if (!answer.ok) return this.refused(answer.failure);
    this.failure.set(null);
    const shown = new Map<string, Value | undefined>();
    for (const [name, value] of answer.value) {
      // Something else was asked for meanwhile.
      if (this.unkept.get(name) !== asked.get(name)) continue;
      this.unkept.delete(name);
      if (value === undefined) this.leaving.delete(name);
      // Other tabs may have had a part in it.
      if (!this.leaving.has(name)) shown.set(name, value);
    }
    this.show(shown);
  }

  /** Puts these in place of what has their names; undefined is nothing. */
  private show(values: ReadonlyMap<string, Value | undefined>): void {
    if (values.size === 0) return;
    const others = this.values.value.filter((value) => !values.has(this.options.nameOf(value)));
    const own = [...values.values()].filter((value) => value !== undefined);
    this.values.set(this.ordered([...others, ...own]));
  }

  private refused({ message }: Failure): void {
    this.failure.set(this.options.refusal(message));
  }
}
