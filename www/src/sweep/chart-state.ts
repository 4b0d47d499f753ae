import type { ChartState, Curve, EndMark } from '../charts/chart';
import { smooth } from '../metrics/smooth';
import { aligned, thin, thinner } from '../metrics/thin';
import { lineName, lineNames, type SummedLine } from './lines';
import type { SweepRecord } from './record';
import type { RobustnessState } from './robustness-state';
import type { Bank } from './sweep';

// What ends so far above the base is of no use, and its height would flatten all others.
const HEADROOM = 1.3;
// Each curve has a place at the steps of all, so that their number grows with its square.
const MOST_STEPS = 12_000;

/** Training losses of all runs, those of now among them; runs of a method look alike. */
export function curvesState(
  record: SweepRecord | null,
  bank: Bank | null,
  view: { smoothing: number; logScale: boolean },
): ChartState {
  const quantity = record?.basis.quantity ?? 'lr';
  const names = lineNames(record, bank?.points ?? [], quantity);
  const lastStep = bank?.metrics.steps ?? record?.basis.session.steps ?? 1;
  const done = (record?.results ?? []).map(({ curve, ...run }) => ({
    style: names.indexOf(lineName(run, quantity)),
    curve,
    divergedAt: run.divergedAt,
  }));
  const live = (bank?.points ?? []).map((point, index) => {
    const series = bank?.metrics.runs[index];
    return {
      style: names.indexOf(lineName(point, quantity)),
      curve: thin(series?.losses ?? []),
      divergedAt: series?.divergedAt ?? null,
    };
  });
  const runs = [...done, ...live];
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

/** Final validation losses over what was varied. */
export function robustnessState({ baseLoss }: SweepRecord, lines: readonly SummedLine[]): RobustnessState {
  const finite = lines.flatMap(({ runs }) => runs.flatMap(({ validationLoss }) => validationLoss ?? []));
  const lowest = Math.min(...finite, baseLoss ?? Number.POSITIVE_INFINITY);
  return {
    lines: lines.map(({ style, runs, summary }) => ({
      style,
      points: runs.map(({ value, validationLoss }) => ({ value, loss: validationLoss })),
      best: summary.best_lr,
    })),
    baseLoss,
    ceiling: HEADROOM * (baseLoss ?? 2 * lowest),
  };
}
