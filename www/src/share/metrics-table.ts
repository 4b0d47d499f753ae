import type { RunConfig } from '../config/config';
import { methodNames, methodOf } from '../config/methods';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import { quantities } from '../metrics/quantities';
import { type Cell, csvOf } from './csv';

/** One run at one step; null is what was not measured there. */
export type MetricsRow = Record<string, Cell>;

/** Columns of the table, in its order. */
export const metricsColumns: readonly string[] = [
  'run',
  'method',
  'step',
  'loss',
  'validation_loss',
  ...quantities,
];

/** All that was measured, a row for each run and step. Step 0 is there where something was measured before training. */
export function metricsRows(metrics: ExperimentMetrics, runs: readonly RunConfig[]): MetricsRow[] {
  return runs.flatMap((run, index) => {
    const series = metrics.runs[index];
    if (series === undefined) return [];
    const validation = new Map(series.validation.map(({ step, loss }) => [step, loss]));
    const method = methodNames[methodOf(run.optimizer)];
    const first = validation.has(0) ? 0 : 1;
    return Array.from({ length: series.losses.length + 1 - first }, (_, at): MetricsRow => {
      const step = first + at;
      const measured = quantities.map((quantity) => [quantity, series.track(quantity).at(step)]);
      return {
        run: run.name,
        method,
        step,
        loss: series.losses[step - 1] ?? null,
        validation_loss: validation.get(step) ?? null,
        ...Object.fromEntries(measured),
      };
    });
  });
}

/** The table as CSV. */
export function metricsCsv(metrics: ExperimentMetrics, runs: readonly RunConfig[]): Promise<string> {
  const rows = metricsRows(metrics, runs);
  return csvOf(
    metricsColumns,
    rows.map((row) => metricsColumns.map((column) => row[column] ?? null)),
  );
}
