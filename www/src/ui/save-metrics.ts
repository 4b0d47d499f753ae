import type { App } from '../app';
import { readyValue } from '../lab/loadable';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import { metricsDocument } from '../share/metrics-document';
import { metricsCsv } from '../share/metrics-table';
import { saveText } from './save-text';

/** Buttons that save everything measured in this training: a table, or settings and numbers together. */
export function saveMetrics(app: App): HTMLElement {
  const json = (metrics: ExperimentMetrics) => {
    const { lab } = app;
    const facts = {
      config: app.trained.value ?? app.config.value,
      engine: lab.choice.value.engine,
      model: readyValue(lab.model.value),
      data: { name: app.dataSource.value?.name ?? '', summary: readyValue(lab.data.value) },
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
  element.id = 'save-metrics';
  app.measured.watch(() => {
    element.hidden = app.metrics.value === null || app.metrics.value.step === 0;
  });
  return element;
}
