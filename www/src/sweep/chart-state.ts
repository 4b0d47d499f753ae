import type { ChartState, Curve, EndMark } from '../charts/chart';
import type { RobustnessState } from '../charts/robustness/robustness-state';
import type { ViewConfig } from '../config/config';
import { smooth } from '../metrics/smooth';
import { aligned, thin, thinner } from '../metrics/thin';
import { lineName, lineNames, type SummedLine } from './lines';
import type { SweepRecord } from './record';
import type { Bank } from './sweep';

// What ends so far above the base is of no use, and its height would flatten all others.
const HEADROOM = 1.3;
// Each curve has a place at the steps of all, so that their number grows with its square.
const MOST_STEPS = 12_000;

type View = Pick<ViewConfig, 'smoothing' | 'logScale' | 'compared' | 'comparedLr'>;

/** The values of a sweep's runs, those of now among them, rising. */
export function sweptValues(record: SweepRecord | null, bank: Bank | null): number[] {
  const all = [...(record?.results ?? []), ...(bank?.points ?? [])].map(({ value }) => value);
  return [...new Set(all)].sort((one, other) => one - other);
}

/** The value that is asked for, where there is such a run; else the middle one. */
export function valueShown(values: readonly number[], asked: number | null): number | null {
  if (asked !== null && values.includes(asked)) return asked;
  return values[Math.floor(values.length / 2)] ?? null;
}

/** Training losses of the runs that shall have curves, those of now among them; runs of a method look alike. */
export function curvesState(record: SweepRecord | null, bank: Bank | null, view: View): ChartState {
  const quantity = record?.basis.quantity ?? 'lr';
  const names = lineNames(record, bank?.points ?? [], quantity);
  const lastStep = bank?.metrics.steps ?? record?.basis.session.steps ?? 1;
  const done = (record?.results ?? []).map(({ curve, ...run }) => ({
    style: names.indexOf(lineName(run, quantity)),
    value: run.value,
    loss: run.validationLoss,
    curve,
    divergedAt: run.divergedAt,
  }));
  const live = (bank?.points ?? []).map((point, index) => {
    const series = bank?.metrics.runs[index];
    return {
      style: names.indexOf(lineName(point, quantity)),
      value: point.value,
      loss: series?.lastValidation?.loss ?? null,
      curve: thin(series?.losses ?? []),
      divergedAt: series?.divergedAt ?? null,
    };
  });
  const value = valueShown(sweptValues(record, bank), view.comparedLr);
  const all = [...done, ...live];
  const runs = all.filter((run) => {
    if (view.compared === 'all') return true;
    if (view.compared === 'rate') return run.value === value;
    const best = bestValue(all.filter(({ style }) => style === run.style));
    return best === undefined || run.value === best;
  });
  const most = Math.floor(MOST_STEPS / Math.max(1, runs.length));
  const { steps, values } = aligned(
    runs.map(({ curve }) => {
      const { steps, values } = thinner(curve, most);
      return { steps, values: smooth(values, view.smoothing) };
    }),
  );
  const curves = runs.map(({ style }, index): Curve => {
    const own = values[index] ?? [];
    const drawn = view.logScale ? own.map((value) => (value !== null && value > 0 ? value : null)) : own;
    return { run: { style }, values: drawn, faint: false };
  });
  // One mark a method: each run's own would fill the chart.
  const marks = names.flatMap((_, style): EndMark[] => {
    const ends = runs.flatMap((run) => (run.style === style ? (run.divergedAt ?? []) : []));
    return ends.length === 0 ? [] : [{ run: { style }, step: Math.min(...ends) }];
  });
  const first = runs.map(({ curve }) => curve.values[0] ?? 0);
  const ceiling = HEADROOM * Math.max(0, ...first) || Number.POSITIVE_INFINITY;
  return { steps, curves, marks, logScale: view.logScale, ceiling, lastStep };
}

/** The lowest and the highest of several seeds. */
function rangeOf(seeds: readonly (number | null)[]): { range?: readonly [number, number] } {
  const losses = seeds.filter((loss) => loss !== null);
  if (seeds.length < 2 || losses.length < seeds.length) return {};
  return { range: [Math.min(...losses), Math.max(...losses)] };
}

/** The value at which the mean loss of these runs is lowest; undefined where none is known. */
function bestValue(runs: readonly { value: number; loss: number | null; divergedAt: number | null }[]) {
  let best: { value: number; mean: number } | undefined;
  for (const value of new Set(runs.map((run) => run.value))) {
    const own = runs.filter((run) => run.value === value);
    // What is still trained was measured at the start alone, or not at all.
    const known = own.every(({ loss, divergedAt }) => loss !== null && divergedAt === null);
    const mean = own.reduce((sum, { loss }) => sum + (loss ?? 0), 0) / own.length;
    if (known && (best === undefined || mean < best.mean)) best = { value, mean };
  }
  return best?.value;
}

/** Final validation losses over what was varied, or over that times `factor`. */
export function robustnessState(
  { baseLoss }: SweepRecord,
  lines: readonly SummedLine[],
  factor = 1,
): RobustnessState {
  const shown = (value: number) => (factor === 1 ? value : Number((value * factor).toPrecision(3)));
  const finite = lines.flatMap(({ summary }) => summary.curve.flatMap(({ loss }) => loss ?? []));
  const lowest = Math.min(...finite, baseLoss ?? Number.POSITIVE_INFINITY);
  return {
    lines: lines.map(({ style, summary }) => ({
      style,
      points: summary.curve.map(({ lr, loss, seeds }) => ({ value: shown(lr), loss, ...rangeOf(seeds) })),
      best: summary.best_lr === null ? null : shown(summary.best_lr),
    })),
    baseLoss,
    ceiling: HEADROOM * (baseLoss ?? 2 * lowest),
  };
}
