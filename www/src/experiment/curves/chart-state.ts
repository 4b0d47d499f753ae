import type { ChartState, Curve, EndMark } from '../../charts/chart';
import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import type { Quantity } from '../../metrics/quantities';
import { smooth } from '../../metrics/smooth';
import { keptSteps } from '../../metrics/thin';
import { measure } from '../../words/numbers';
import type { ShownRun } from '../comparison/shown-runs';

// A diverging run may climb to so many times the others' largest loss before it leaves the chart.
const HEADROOM = 1.25;
// More than a chart has pixels.
const MOST_POINTS = 3000;

/** How numbers of every step are drawn. */
interface View {
  smoothing: number;
  logScale: boolean;
}

/** Training losses. */
export function trainingState(metrics: ExperimentMetrics, runs: readonly ShownRun[], view: View): ChartState {
  const losses = runs.map(({ series }) => series.losses);
  return stepState(metrics, runs, losses, view, ceilingOf(runs));
}

/** Any other number of every step. */
export function quantityState(
  metrics: ExperimentMetrics,
  runs: readonly ShownRun[],
  quantity: Quantity,
  view: View,
): ChartState {
  const values = runs.map(({ series }) => series.track(quantity).upTo(metrics.step));
  const stable = values.filter((_, index) => runs[index]?.series.divergedAt === null);
  const ceiling =
    stable.length === 0 ? Number.POSITIVE_INFINITY : HEADROOM * Math.max(...stable.map(largest));
  return stepState(metrics, runs, values, view, ceiling);
}

/** Numbers of every step: raw values faint, smoothed ones on top. */
function stepState(
  metrics: ExperimentMetrics,
  runs: readonly ShownRun[],
  numbers: readonly (readonly (number | null)[])[],
  { smoothing, logScale }: View,
  ceiling: number,
): ChartState {
  const whole = runs.map(({ run }, index) => ({
    run,
    values: padded(numbers[index] ?? [], metrics.step, logScale),
  }));
  const steps = keptSteps(
    whole.map(({ values }) => values),
    MOST_POINTS,
  );
  const kept = (values: readonly (number | null)[]) => steps.map((step) => values[step - 1] ?? null);
  const raw = whole.map(({ run, values }): Curve => ({ run, values: kept(values), faint: smoothing > 0 }));
  const smoothed = whole.map(
    ({ run, values }): Curve => ({ run, values: kept(smooth(values, smoothing)), faint: false }),
  );
  const curves = smoothing > 0 ? [...raw, ...smoothed] : raw;
  return {
    steps,
    curves,
    marks: marksOf(runs),
    logScale,
    ceiling,
    lastStep: metrics.steps,
  };
}

/** Losses on held-out examples. */
export function validationState(
  metrics: ExperimentMetrics,
  runs: readonly ShownRun[],
  logScale: boolean,
): ChartState {
  const measured = metrics.runs.flatMap((run) => run.validation.map((point) => point.step));
  const steps = [...new Set(measured)].sort((one, other) => one - other);
  const curves = runs.map(({ run, series }): Curve => {
    const losses = new Map(series.validation.map(({ step, loss }) => [step, loss]));
    const values = steps.map((step) => losses.get(step) ?? null);
    return { run, values: logScale ? values.map(positive) : values, faint: false };
  });
  return { steps, curves, marks: [], logScale, ceiling: ceilingOf(runs), lastStep: metrics.steps };
}

/** One sentence a run, for those who do not see the chart. */
export function summaryOf(runs: readonly ShownRun[]): string {
  return runs
    .map(({ run, series }) => {
      if (series.lastLoss === null) return `${run.name}: nothing yet.`;
      const ended = series.divergedAt === null ? '' : `, diverged at step ${series.divergedAt}`;
      return `${run.name}: from ${measure(series.firstLoss)} to ${measure(series.lastLoss)}${ended}.`;
    })
    .join(' ');
}

/** The same of another number. */
export function quantitySummary(runs: readonly ShownRun[], quantity: Quantity): string {
  return runs
    .map(({ run, series }) => {
      const track = series.track(quantity);
      if (track.empty) return `${run.name}: not measured.`;
      return `${run.name}: from ${measure(track.first)} to ${measure(track.last)}.`;
    })
    .join(' ');
}

function marksOf(runs: readonly ShownRun[]): EndMark[] {
  return runs.flatMap(({ run, series }) =>
    series.divergedAt === null ? [] : [{ run, step: series.divergedAt }],
  );
}

/** The largest loss of runs that did not diverge, with headroom; the largest first loss, where all did. */
function ceilingOf(runs: readonly ShownRun[]): number {
  const stable = runs.filter(({ series }) => series.divergedAt === null);
  if (stable.length === 0) return 2 * HEADROOM * largest(runs.map(({ series }) => series.firstLoss));
  return HEADROOM * Math.max(...stable.map(({ series }) => largest(series.losses)));
}

function largest(values: readonly (number | null)[]): number {
  return values.reduce<number>((top, value) => Math.max(top, value ?? 0), 0);
}

function padded(values: readonly (number | null)[], length: number, logScale: boolean): (number | null)[] {
  return Array.from({ length }, (_, index) => {
    const value = values[index] ?? null;
    return logScale ? positive(value) : value;
  });
}

/** A logarithm has no place for the rest. */
function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}
