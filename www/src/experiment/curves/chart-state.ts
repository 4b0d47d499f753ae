import type { ChartState, Curve, EndMark } from '../../charts/chart';
import type { RunConfig } from '../../config/config';
import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import type { Quantity } from '../../metrics/quantities';
import { smooth } from '../../metrics/smooth';
import { keptSteps } from '../../metrics/thin';
import { measure } from '../../words/numbers';

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
export function trainingState(
  metrics: ExperimentMetrics,
  runs: readonly RunConfig[],
  view: View,
): ChartState {
  const losses = runs.map((_, index) => metrics.runs[index]?.losses ?? []);
  return stepState(metrics, runs, losses, view, ceilingOf(metrics));
}

/** Any other number of every step. */
export function quantityState(
  metrics: ExperimentMetrics,
  runs: readonly RunConfig[],
  quantity: Quantity,
  view: View,
): ChartState {
  const values = runs.map((_, index) => metrics.runs[index]?.track(quantity).upTo(metrics.step) ?? []);
  const stable = values.filter((_, index) => metrics.runs[index]?.divergedAt === null);
  const ceiling =
    stable.length === 0 ? Number.POSITIVE_INFINITY : HEADROOM * Math.max(...stable.map(largest));
  return stepState(metrics, runs, values, view, ceiling);
}

/** Numbers of every step: raw values faint, smoothed ones on top. */
function stepState(
  metrics: ExperimentMetrics,
  runs: readonly RunConfig[],
  numbers: readonly (readonly (number | null)[])[],
  { smoothing, logScale }: View,
  ceiling: number,
): ChartState {
  const whole = runs.map((run, index) => ({
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
    marks: marksOf(metrics, runs),
    logScale,
    ceiling,
    lastStep: metrics.steps,
  };
}

/** Losses on held-out examples. */
export function validationState(
  metrics: ExperimentMetrics,
  runs: readonly RunConfig[],
  logScale: boolean,
): ChartState {
  const measured = metrics.runs.flatMap((run) => run.validation.map((point) => point.step));
  const steps = [...new Set(measured)].sort((one, other) => one - other);
  const curves = runs.map((run, index): Curve => {
    const losses = new Map(metrics.runs[index]?.validation.map(({ step, loss }) => [step, loss]));
    const values = steps.map((step) => losses.get(step) ?? null);
    return { run, values: logScale ? values.map(positive) : values, faint: false };
  });
  return { steps, curves, marks: [], logScale, ceiling: ceilingOf(metrics), lastStep: metrics.steps };
}

/** One sentence a run, for those who do not see the chart. */
export function summaryOf(metrics: ExperimentMetrics, runs: readonly RunConfig[]): string {
  return runs
    .map((run, index) => {
      const series = metrics.runs[index];
      if (series === undefined || series.lastLoss === null) return `${run.name}: nothing yet.`;
      const ended = series.divergedAt === null ? '' : `, diverged at step ${series.divergedAt}`;
      return `${run.name}: from ${measure(series.firstLoss)} to ${measure(series.lastLoss)}${ended}.`;
    })
    .join(' ');
}

/** The same of another number. */
export function quantitySummary(
  metrics: ExperimentMetrics,
  runs: readonly RunConfig[],
  quantity: Quantity,
): string {
  return runs
    .map((run, index) => {
      const track = metrics.runs[index]?.track(quantity);
      if (track === undefined || track.empty) return `${run.name}: not measured.`;
      return `${run.name}: from ${measure(track.first)} to ${measure(track.last)}.`;
    })
    .join(' ');
}

function marksOf(metrics: ExperimentMetrics, runs: readonly RunConfig[]): EndMark[] {
  return runs.flatMap((run, index) => {
    const step = metrics.runs[index]?.divergedAt ?? null;
    return step === null ? [] : [{ run, step }];
  });
}

/** The largest loss of runs that did not diverge, with headroom; the largest first loss, where all did. */
function ceilingOf(metrics: ExperimentMetrics): number {
  const stable = metrics.runs.filter((run) => run.divergedAt === null);
  if (stable.length === 0) return 2 * HEADROOM * largest(metrics.runs.map((run) => run.firstLoss));
  return HEADROOM * Math.max(...stable.map((run) => largest(run.losses)));
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
