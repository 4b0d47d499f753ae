import { matrixRate } from '../config/matrix-rate';
import { methodNames, methodOf } from '../config/methods';
import { dateWords } from '../words/date';
import { measure, setting } from '../words/numbers';
import type { RunRecord } from './record';

/** What a column shows, and what it is sorted by. */
export interface Column {
  name: string;
  text(run: RunRecord): string;
  /** Numbers rise, words follow the alphabet; null is always last. */
  value(run: RunRecord): number | string | null;
}

/** A column of words, sorted by them. */
function words(name: string, text: (run: RunRecord) => string): Column {
  return { name, text, value: text };
}

/** A column of numbers, written by `show`. */
function numbers(
  name: string,
  value: (run: RunRecord) => number | null,
  show: (value: number | null) => string,
): Column {
  return { name, value, text: (run) => show(value(run)) };
}

function threeFigures(value: number | null): string {
  return setting(value === null ? null : Number(value.toPrecision(3)));
}

/** What became of a run. */
export function endOf(run: RunRecord): string {
  if (run.divergedAt !== null) return `diverged at ${run.divergedAt}`;
  return run.stepsDone < run.session.steps ? 'stopped' : 'finished';
}

/** The columns behind the name. */
export const columns: readonly Column[] = [
  words('Method', ({ optimizer }) => methodNames[methodOf(optimizer)]),
  numbers('lr', ({ optimizer }) => optimizer.lr, setting),
  numbers('lr · s²', ({ optimizer, session }) => matrixRate(optimizer.lr, session), threeFigures),
  numbers('Rank', ({ session }) => session.rank, setting),
  numbers('Steps', ({ stepsDone }) => stepsDone, setting),
  numbers('First loss', ({ firstLoss }) => firstLoss, measure),
  numbers('Last loss', ({ lastLoss }) => lastLoss, measure),
  numbers('Validation', ({ validationLoss }) => validationLoss, measure),
  words('End', endOf),
  words('Model', ({ model }) => model),
  words('Data', ({ data }) => data),
  { name: 'When', value: ({ when }) => when, text: ({ when }) => dateWords(when) },
];

/** The name is a column too, but it is edited in place. */
export const nameColumn: Column = words('Name', ({ name }) => name);

/** How the table is looked at. */
export interface TableView {
  sortBy: string;
  direction: 'ascending' | 'descending';
  filter: string;
  showHidden: boolean;
}

/** The newest runs first, none left out but hidden ones. */
export function defaultView(): TableView {
  return { sortBy: 'When', direction: 'descending', filter: '', showHidden: false };
}

/** The runs of the view, in its order. */
export function shownRuns(all: readonly RunRecord[], view: TableView): RunRecord[] {
  const column = [nameColumn, ...columns].find(({ name }) => name === view.sortBy) ?? nameColumn;
  const found = all.filter((run) => (view.showHidden || !run.hidden) && matches(run, view.filter));
  const sign = view.direction === 'ascending' ? 1 : -1;
  return found.sort((one, other) => {
    const [left, right] = [column.value(one), column.value(other)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * compare(left, right) || (one.id < other.id ? 1 : -1);
  });
}

/** Whether every word of the filter is somewhere in the run's row. */
function matches(run: RunRecord, filter: string): boolean {
  const row = [nameColumn, ...columns].map((column) => column.text(run)).join(' ');
  const found = `${row} ${run.origin}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => found.includes(word));
}

function compare(one: number | string, other: number | string): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return String(one).localeCompare(String(other), 'en', { numeric: true });
}
