import type { Columns } from '../../protocol';

/** Names of columns as they can be chosen: those that no other column has. */
export function distinctColumns(names: readonly string[]): { own: string[]; shared: string[] } {
  const amount = (name: string) => names.filter((one) => one === name).length;
  const shared = [...new Set(names.filter((name) => amount(name) > 1))];
  return { own: names.filter((name) => amount(name) === 1), shared };
}

/** What each column is for, in files that have them: a choice stays with its file, and is there when that comes back. */
export class ChosenColumns {
  private readonly putAside: Columns[] = [];

  /** Whether another file could change what is chosen. */
  isOpen(chosen: Columns | null): boolean {
    return chosen !== null || this.putAside.length > 0;
  }

  /** What is chosen in a file with columns of these `names`, where `chosen` was in the one before. */
  follow(chosen: Columns | null, names: readonly string[]): Columns | null {
    const { own } = distinctColumns(names);
    const fits = ({ prompt, completion }: Columns) =>
      [...prompt, completion].every((name) => name === '' || own.includes(name));
    if (chosen !== null && fits(chosen)) return chosen;
    if (chosen !== null) this.putAside.unshift(chosen);
    return this.putAside.find(fits) ?? null;
  }
}

/** `what, then why → says`. */
export function columnWords({ prompt, completion }: Columns): string {
  return `${prompt.join(', then ') || '…'} → ${completion || '…'}`;
}
