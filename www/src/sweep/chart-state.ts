import type { ChartState, Curve, EndMark } from '../charts/chart';
import { smooth } from '../metrics/smooth';
import { keptSteps } from '../metrics/thin';
import { lineName, lineNames, type SummedLine } from './lines';
import type { SweepRecord } from './record';
import type { RobustnessState } from './robustness-state';
import type { Bank } from './sweep';

// What ends so far above the base is of no use, and its height would flatten all others.
const HEADROOM = 1.3;

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
    losses: new Map(curve.steps.map((step, index) => [step, curve.values[index] ?? null])),
    divergedAt: run.divergedAt,
  }));
  const measured = bank?.metrics.step ?? 0;
  const live = (bank?.points ?? []).map((point, index) => {
    const series = bank?.metrics.runs[index];
    const steps = [...keptSteps(lastStep).filter((step) => step < measured), measured];
    return {
      style: names.indexOf(lineName(point, quantity)),
      losses: new Map(steps.map((step) => [step, series?.losses[step - 1] ?? null])),
      divergedAt: series?.divergedAt ?? null,
    };
  });
  const runs = [...done, ...live];
  const all = new Set(runs.flatMap(({ losses }) => [...losses.keys()]).filter((step) => step > 0));
  const steps = [...all].sort((one, other) => one - other);
  const curves = runs.map(({ style, losses }): Curve => {
    const values = smooth(
      steps.map((step) => losses.get(step) ?? null),
      view.smoothing,
    );
    const drawn = view.logScale
      ? values.map((value) => (value !== null && value > 0 ? value : null))
      : values;
    return { run: { style }, values: drawn, faint: false };
  });
  // One mark a method: each run's own would fill the chart.
  const marks = names.flatMap((_, style): EndMark[] => {
    const ends = runs.flatMap((run) => (run.style === style ? (run.divergedAt ?? []) : []));
    return ends.length === 0 ? [] : [{ run: { style }, step: Math.min(...ends) }];
  });
  const first = runs.map(({ losses }) => losses.get(1) ?? 0);
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
