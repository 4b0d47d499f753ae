import type { Problems } from './problems';
import type { Range } from './range';

/** Where something stands in `Root`: `session.rank`, `optimizer.betas.0`. */
export type Place<Root> = Root extends readonly unknown[]
  ? `${number}`
  : Root extends object
    ? { [Key in keyof Root & string]: Key | `${Key}.${Place<NonNullable<Root[Key]>>}` }[keyof Root & string]
    : never;

interface Described<Root, Shown> {
  /** As in `Failure.field`; a run's stands behind the run's own name. */
  field: string;
  label: string;
  /** What it does, in a sentence. */
  help: string;
  /** What it is called where it is wrong, if not as its label. */
  name?: string;
  class?: string;
  at: Place<Root>;
  /** What is shown of a value, and kept of what is shown, where these differ. */
  form?: { shown(value: unknown): Shown; kept(shown: Shown): unknown };
  /** Whether it does anything, with the rest as it is. */
  matters?(root: Root): boolean;
  /** What else changes with it. */
  after?(root: Root): void;
}

/** A number. */
export interface NumberSetting<Root> extends Described<Root, number | null> {
  kind: 'number';
  range: Range;
  /** What it is counted in, where the label does not say so. */
  unit?: string;
  /** What an empty field says; without it an empty field is wrong. */
  empty?: string;
  /** Where a slider below it begins and ends; `log` has equal ratios instead of equal steps. */
  slider?: { low: number; high: number; log: boolean };
}

/** One of a few. */
export interface ChoiceSetting<Root> extends Described<Root, string> {
  kind: 'choice';
  /** What is chosen, and its name on the page. */
  choices: readonly (readonly [string, string])[];
}

/** Yes or no. */
export interface SwitchSetting<Root> extends Described<Root, boolean> {
  kind: 'switch';
}

/** A line of text, or several with `rows`. */
export interface TextSetting<Root> extends Described<Root, string> {
  kind: 'text';
  rows?: number;
  empty?: string;
}

/**
 * All that is known of one setting. Its field on the page, its check, and what a link or another visit may bring follow
 * from it.
 */
export type Setting<Root> =
  | NumberSetting<Root>
  | ChoiceSetting<Root>
  | SwitchSetting<Root>
  | TextSetting<Root>;

/** What stands at a place; undefined where there is no such place now. */
export function valueAt(root: unknown, place: string): unknown {
  let value = root;
  for (const part of place.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** Puts a value where it belongs, if there is such a place now. */
export function putAt(root: object, place: string, value: unknown): void {
  const [, outer, last] = /^(?:(.*)\.)?([^.]+)$/.exec(place) ?? [];
  const owner = outer === undefined ? root : valueAt(root, outer);
  if (typeof owner === 'object' && owner !== null && last !== undefined) {
    (owner as Record<string, unknown>)[last] = value;
  }
}

/** What the page shows of a setting; undefined where it does not exist now. */
export function shownOf<Root>(setting: Setting<Root>, root: Root): unknown {
  const value = valueAt(root, setting.at);
  return setting.form === undefined ? value : setting.form.shown(value);
}

/** Takes what was entered on the page. */
export function enter<Root extends object>(setting: Setting<Root>, root: Root, shown: unknown): void {
  const kept = setting.form?.kept as ((shown: unknown) => unknown) | undefined;
  putAt(root, setting.at, kept === undefined ? shown : kept(shown));
  setting.after?.(root);
}

/** What may stand at the place of a setting that is a choice. */
export function choicesOf<Root>({ choices, form }: ChoiceSetting<Root>): unknown[] {
  return choices.map(([choice]) => (form === undefined ? choice : form.kept(choice)));
}

/** Notes at each setting what is wrong with it. `prefix` stands before the names of fields. */
export function checkSettings<Root>(
  settings: readonly Setting<Root>[],
  root: Root,
  problems: Problems,
  prefix = '',
): void {
  for (const setting of settings) {
    if (setting.kind !== 'number') continue;
    const value = shownOf(setting, root);
    if (value === undefined || (value === null && setting.empty !== undefined)) continue;
    const field = prefix + setting.field;
    if (problems.has(field) || (typeof value === 'number' && setting.range.holds(value))) continue;
    problems.set(field, `${setting.name ?? setting.label} must be ${setting.range.words}.`);
  }
}
