import type { App } from '../app';
import { readyValue } from '../lab/loadable';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import { wordsOf } from '../result';
import { metricsDocument } from '../share/metrics-document';
import { metricsCsv } from '../share/metrics-table';
import { saveFile } from '../share/save-file';
import { h } from './dom';
import { failurePlace } from './message';

/** Buttons that save everything measured in this training: a table, or settings and numbers together. */
export function saveMetrics(app: App): HTMLElement {
  const failure = failurePlace();
  const save = async (name: string, type: string, make: (metrics: ExperimentMetrics) => Promise<string>) => {
    const metrics = app.metrics.value;
    if (metrics === null) return;
    try {
      saveFile(name, new Blob([await make(metrics)], { type }));
      failure.show(null);
    } catch (thrown) {
      const message = `${name} was not made: ${wordsOf(thrown)}. Try again, or save the other form.`;
      failure.show({ place: 'metrics', field: null, message });
    }
  };
  const csv = () => save('metrics.csv', 'text/csv', (metrics) => metricsCsv(metrics, app.trainedRuns.value));
  const json = () =>
    save('metrics.json', 'application/json', async (metrics) => {
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
    });
  const button = (form: string, onclick: () => void) =>
    h(
      'button',
      { type: 'button', class: 'quiet small', 'aria-label': `Save all numbers as ${form}`, onclick },
      form,
    );
  const group = h(
    'div',
    { class: 'save', role: 'group', 'aria-label': 'Save all numbers' },
    h('span', { class: 'hint', 'aria-hidden': 'true' }, 'Save all numbers of all steps'),
    button('CSV', () => void csv()),
    button('JSON', () => void json()),
  );
  const element = h('div', { class: 'save-frame', id: 'save-metrics', hidden: true }, group, failure.element);
  app.measured.watch(() => {
    element.hidden = app.metrics.value === null || app.metrics.value.step === 0;
  });
  return element;
}
