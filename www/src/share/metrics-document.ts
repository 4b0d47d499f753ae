import type { SharedConfig } from '../config/config';
import { methodNames, methodOf } from '../config/methods';
import type { EngineName } from '../engine/engine-module';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import { quantities } from '../metrics/quantities';

const FORMAT = 'riemann-lora metrics';
const VERSION = 1;

/** What was trained, for those who read its numbers elsewhere. */
export interface TrainingFacts {
  /** With which it began. */
  config: SharedConfig;
  engine: EngineName;
  model: { name: string; architecture: string; parameters: number } | undefined;
  /** `statistics` is whatever is known of its size. */
  data: { name: string; statistics: unknown };
  /** Of the page. */
  page: string;
  when: Date;
}

/** Settings and everything measured, as one JSON value. The arrays of a run begin at step 1. */
export function metricsDocument(metrics: ExperimentMetrics, facts: TrainingFacts) {
  const { config, model, data } = facts;
  return {
    format: FORMAT,
    version: VERSION,
    page: facts.page,
    saved: facts.when.toISOString(),
    engine: facts.engine,
    model: model && { name: model.name, architecture: model.architecture, parameters: model.parameters },
    data: { name: data.name, statistics: data.statistics },
    steps: metrics.steps,
    steps_done: metrics.step,
    config,
    runs: config.runs.map((run, index) => {
      const series = metrics.runs[index];
      const losses = series?.losses ?? [];
      const measured = quantities.filter((quantity) => series?.track(quantity).empty === false);
      return {
        name: run.name,
        method: methodNames[methodOf(run.optimizer)],
        diverged_at: series?.divergedAt ?? null,
        loss: losses,
        validation: series?.validation ?? [],
        ...Object.fromEntries(measured.map((one) => [one, series?.track(one).upTo(losses.length)])),
      };
    }),
  };
}
