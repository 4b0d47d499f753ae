import { lineChart } from '../../charts/chart';
import { chartSvg } from '../../charts/chart-svg';
import { saveChart } from '../../charts/save-chart';
import { h } from '../../controls/dom';
import { paced } from '../../controls/frame';
import { themeChanged } from '../../controls/theme-changed';
import type { Experiment } from '../experiment';
import { summaryOf, trainingState } from './chart-state';
import { stepTable } from './step-table';

/** Training loss of all runs, as it falls. */
export function lossChart(app: Experiment): HTMLElement {
  const chart = lineChart('Training loss over steps', false);
  const empty = h('p', { class: 'empty' }, 'Curves appear here once training starts.');
  const save = saveChart('training loss', {
    file: () => 'training-loss',
    svg: (look) => {
      const { metrics, shownRuns, config } = app;
      if (metrics.value === null) return null;
      const state = trainingState(metrics.value, shownRuns, config.value.view);
      const legend = shownRuns.map(({ run }) => run);
      return chartSvg(
        { title: 'Training loss', stepName: 'Step', state, legend, points: false, logSteps: false },
        look,
      );
    },
  });
  const draw = paced(() => {
    const { metrics, config } = app;
    const begun = metrics.value !== null && metrics.value.step > 0;
    empty.hidden = begun;
    save.enable(begun);
    if (metrics.value === null) return;
    chart.show(trainingState(metrics.value, app.shownRuns, config.value.view));
  });
  app.config.subscribeTo(
    ({ view }) => [view.smoothing, view.logScale, view.compared, view.comparedLr],
    draw.now,
  );
  app.measured.watch(draw.soon);
  // Not at every step: a screen reader would never come to an end.
  app.lab.phase.watch(() => {
    if (app.metrics.value !== null) chart.summarise(summaryOf(app.shownRuns));
  });
  themeChanged(chart.restyle);
  return h(
    'figure',
    { class: 'chart' },
    h('figcaption', { class: 'titled' }, h('h3', {}, 'Training loss'), save.element),
    h('div', { class: 'plot-place' }, chart.element, empty),
    stepTable(app, { name: () => 'Training losses', at: (run, step) => run.losses[step - 1] ?? null })
      .element,
  );
}
