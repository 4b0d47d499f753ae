import type { App } from '../app';
import { lineChart } from './chart';
import { summaryOf, trainingState } from './chart-state';
import { freshId, h, setText } from './dom';
import { checkField } from './field';
import { inFrame } from './frame';
import { legend } from './legend';
import { lossTable } from './loss-table';
import { themeChanged } from './theme-changed';

/** Training loss of all runs, as it falls. */
export function lossChart(app: App): HTMLElement {
  const chart = lineChart('Training loss over steps', false);
  const table = lossTable(app);
  const runs = legend(app);
  const id = freshId('smoothing');
  const amount = h('output', { for: id });
  const slider = h('input', {
    type: 'range',
    id,
    min: 0,
    step: 0.01,
    oninput: () =>
      app.change(({ view }) => {
        view.smoothing = Number(slider.value);
      }),
  });
  slider.max = '0.98';
  const log = checkField('Log axis', (value) =>
    app.change(({ view }) => {
      view.logScale = value;
    }),
  );
  const draw = inFrame(() => {
    const { metrics, trainedRuns, config } = app;
    if (metrics.value === null) return;
    const { smoothing, logScale } = config.value.view;
    chart.show(trainingState(metrics.value, trainedRuns.value, smoothing, logScale));
  });
  app.config.watch(({ view }) => {
    slider.value = String(view.smoothing);
    setText(amount, view.smoothing.toFixed(2));
    log.show(view.logScale);
    draw();
  });
  app.measured.watch(draw);
  // Not at every step: a screen reader would never come to an end.
  app.lab.phase.watch(() => {
    if (app.metrics.value !== null) chart.summarise(summaryOf(app.metrics.value, app.trainedRuns.value));
  });
  themeChanged(chart.restyle);
  const empty = h('p', { class: 'empty' }, 'Curves appear here once training starts.');
  app.metrics.watch((metrics) => {
    empty.hidden = metrics !== null;
  });
  return h(
    'figure',
    { class: 'chart loss' },
    h(
      'figcaption',
      {},
      h('h3', {}, 'Training loss'),
      h('div', { class: 'row view' }, log.element, h('label', { for: id }, 'Smoothing'), slider, amount),
    ),
    h('div', { class: 'plot-place' }, chart.element, empty),
    runs,
    table,
  );
}
