import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import type { ComparedMethod, RunOfMethod } from './methods';

/** A run that did better than all others of its method, and its loss. */
export interface Best extends RunOfMethod {
  loss: number;
}

/** The last validation loss of a run; null where there is none yet, and for a run that diverged. */
export function lossOf(metrics: ExperimentMetrics, index: number): number | null {
  const run = metrics.runs[index];
  if (run === undefined || run.divergedAt !== null) return null;
  const { loss = null } = run.lastValidation ?? {};
  return loss !== null && Number.isFinite(loss) ? loss : null;
}

/** The run of the lowest validation loss of now; null where none has any. */
export function bestOf({ runs }: ComparedMethod, metrics: ExperimentMetrics): Best | null {
  return runs.reduce<Best | null>((best, run) => {
    const loss = lossOf(metrics, run.index);
    return loss !== null && (best === null || loss < best.loss) ? { ...run, loss } : best;
  }, null);
}
