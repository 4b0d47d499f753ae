import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import { metricsDocument, type TrainingFacts } from '../../share/metrics-document';
import { metricsCsv } from '../../share/metrics-table';
import { saveText } from '../../share/save-text';
import type { Experiment } from '../experiment';

/** What was trained, and on what. */
export type MetricsSource = Pick<TrainingFacts, 'model' | 'data'>;

/** Buttons that save everything measured in this training: a table, or settings and numbers together. */
export function saveMetrics(app: Experiment, source: () => MetricsSource): HTMLElement {
  const json = (metrics: ExperimentMetrics) => {
    const facts = {
      ...source(),
      config: app.trained.value ?? app.config.value,
      engine: app.lab.choice.value.engine,
      page: __VERSION__,
      when: new Date(),
    };
    return JSON.stringify(metricsDocument(metrics, facts));
  };
  const measured = async (make: (metrics: ExperimentMetrics) => Promise<string> | string) =>
    app.metrics.value === null ? null : make(app.metrics.value);
  const element = saveText('all numbers', 'Save all numbers of all steps', [
    {
      form: 'CSV',
      file: 'metrics.csv',
      type: 'text/csv',
      make: () => measured((metrics) => metricsCsv(metrics, app.trainedRuns.value)),
    },
    { form: 'JSON', file: 'metrics.json', type: 'application/json', make: () => measured(json) },
  ]);
  element.id = app.id('save-metrics');
  app.measured.watch(() => {
    element.hidden = app.metrics.value === null || app.metrics.value.step === 0;
  });
  return element;
}
