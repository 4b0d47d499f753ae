import type { RunConfig, ViewConfig } from '../../config/config';
import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import type { RunSeries } from '../../metrics/run-series';
import { bestOf } from './best';
import { areRatesCompared, type ComparedMethod, methodsOf } from './methods';

/** A run that has a curve, and what is measured of it. */
export interface ShownRun {
  /** Among the runs of the training. */
  index: number;
  run: RunConfig;
  series: RunSeries;
}

type Choice = Pick<ViewConfig, 'compared' | 'comparedLr'>;

/** The runs that have curves now. */
export function shownRuns(
  runs: readonly RunConfig[],
  metrics: ExperimentMetrics,
  choice: Choice,
): ShownRun[] {
  return shownIndices(runs, metrics, choice).flatMap((index) => {
    const [run, series] = [runs[index], metrics.runs[index]];
    return run === undefined || series === undefined ? [] : [{ index, run, series }];
  });
}

function shownIndices(
  runs: readonly RunConfig[],
  metrics: ExperimentMetrics,
  { compared, comparedLr }: Choice,
): number[] {
  const all = [...runs.keys()];
  const methods = methodsOf(runs, metrics.steps);
  if (compared === 'all' || !areRatesCompared(methods)) return all;
  if (compared === 'rate') {
    const lr = rateShown(methods, comparedLr);
    return all.filter((index) => runs[index]?.optimizer.lr === lr);
  }
  // Until something is measured, nobody knows which is best, and a method whose runs all diverged shows that.
  const best = methods.flatMap((method) => {
    const own = bestOf(method, metrics);
    return own === null ? method.runs.map(({ index }) => index) : [own.index];
  });
  return best.sort((one, other) => one - other);
}

/** All learning rates, rising. */
export function ratesOf(methods: readonly ComparedMethod[]): number[] {
  const all = methods.flatMap(({ runs }) => runs.map(({ lr }) => lr));
  return [...new Set(all)].sort((one, other) => one - other);
}

/** The rate that is asked for, where there is such a run; else one that most methods have. */
export function rateShown(methods: readonly ComparedMethod[], asked: number | null): number | null {
  const rates = ratesOf(methods);
  if (asked !== null && rates.includes(asked)) return asked;
  const shared = (lr: number) => methods.filter(({ runs }) => runs.some((run) => run.lr === lr)).length;
  return rates.reduce<number | null>(
    (most, lr) => (most === null || shared(lr) > shared(most) ? lr : most),
    null,
  );
}
