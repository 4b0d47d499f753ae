import { presetName } from '../config/preset-name';
import type { MethodSummary, SweepQuestion } from '../protocol';
import { setting } from '../words/numbers';
import type { SweepQuantity } from './config';
import type { SweepRecord, SweptRun } from './record';

/** The runs of a sweep that belong into one line of the robustness chart. */
export interface Line {
  name: string;
  /** Which colour, dash and point; see `charts/run-style.ts`. */
  style: number;
  /** At rising values; at one value there may be several, each with a seed of its own. */
  runs: SweptRun[];
}

/** What a run's line is called: where lr is not what is varied, another lr is another line. */
export function lineName({ method, lr }: Pick<SweptRun, 'method' | 'lr'>, quantity: SweepQuantity): string {
  return quantity === 'lr' ? presetName(method) : `${presetName(method)}, lr ${setting(lr)}`;
}

/** Names of all lines, those of `coming` runs at the end: a line keeps its look as others come. */
export function lineNames(
  record: SweepRecord | null,
  coming: readonly Pick<SweptRun, 'method' | 'lr'>[],
  quantity: SweepQuantity,
): string[] {
  const all = [...(record?.results ?? []), ...coming];
  return [...new Set(all.map((run) => lineName(run, quantity)))];
}

/** The lines of a sweep's results. */
export function linesOf(record: SweepRecord): Line[] {
  const { quantity } = record.basis;
  return lineNames(record, [], quantity).map((name, style) => {
    const own = record.results.filter((run) => lineName(run, quantity) === name);
    return { name, style, runs: own.sort((one, other) => one.value - other.value) };
  });
}

/** What the engine is asked to sum up. What is varied stands in the place of lr. */
export function questionOf(record: SweepRecord): SweepQuestion {
  const lines = linesOf(record);
  return {
    methods: lines.map(({ name }) => name),
    // Without it no run can be said to be worse.
    base_loss: record.baseLoss ?? Number.POSITIVE_INFINITY,
    results: lines.flatMap(({ name, runs }) =>
      runs.map(({ value, validationLoss, divergedAt, repeat = 0 }) => ({
        method: name,
        lr: value,
        seed: repeat,
        validation_loss: validationLoss,
        diverged_at: divergedAt,
        losses: [],
      })),
    ),
  };
}

/** A line and how it did. */
export interface SummedLine extends Line {
  summary: MethodSummary;
}

/** Lines with their summaries, which are in the same order. */
export function summedLines(record: SweepRecord, summaries: readonly MethodSummary[]): SummedLine[] {
  return linesOf(record).flatMap((line, index) => {
    const summary = summaries[index];
    return summary === undefined ? [] : [{ ...line, summary }];
  });
}
