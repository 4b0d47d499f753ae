import { lineChart } from '../../charts/chart';
import { chartSvg } from '../../charts/chart-svg';
import { saveChart } from '../../charts/save-chart';
import { fill, givenName, h } from '../../controls/dom';
import { paced } from '../../controls/frame';
import { themeChanged } from '../../controls/theme-changed';
import { measure } from '../../words/numbers';
import type { Experiment } from '../experiment';
import { validationState } from './chart-state';

/** Loss on held-out examples. */
export function validationChart(app: Experiment): HTMLElement {
  const chart = lineChart('Validation loss over steps', true);
  const host = h('div', {
    class: 'scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Validation losses',
  });
  const table = h('details', { class: 'numbers' }, h('summary', {}, 'Numbers'), host);
  const empty = h('p', { class: 'empty' }, 'Measured on examples that no run trains on.');
  const save = saveChart('validation loss', {
    file: () => 'validation-loss',
    svg: (look) => {
      const { metrics, shownRuns, config } = app;
      if (metrics.value === null) return null;
      const state = validationState(metrics.value, shownRuns, config.value.view.logScale);
      const legend = shownRuns.map(({ run }) => run);
      return chartSvg(
        { title: 'Validation loss', stepName: 'Step', state, legend, points: true, logSteps: false },
        look,
      );
    },
  });
  save.enable(false);
  const draw = paced(() => {
    const { metrics, shownRuns, config } = app;
    if (metrics.value === null) {
      // What was drawn belongs to a training that is forgotten.
      empty.hidden = false;
      save.enable(false);
      return;
    }
    const state = validationState(metrics.value, shownRuns, config.value.view.logScale);
    chart.show(state);
    empty.hidden = state.steps.length > 0;
    save.enable(state.steps.length > 0);
    const best = shownRuns.map(({ run, series }) => {
      const point = series.bestValidation;
      return point ? `${run.name}: best ${measure(point.loss)} at step ${point.step}.` : '';
    });
    chart.summarise(best.filter(Boolean).join(' '));
    if (!table.open) return;
    const head = shownRuns.map(({ run }) => h('th', { scope: 'col' }, givenName(run.name)));
    const rows = state.steps.map((step, at) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, String(step)),
        ...state.curves.map(({ values }) => h('td', {}, measure(values[at] ?? null))),
      ),
    );
    const header = h('tr', {}, h('th', { scope: 'col' }, 'Step'), ...head);
    fill(host, h('table', {}, h('thead', {}, header), h('tbody', {}, ...rows)));
  });
  app.config.subscribeTo(({ view }) => [view.logScale, view.compared, view.comparedLr], draw.now);
  app.measured.watch(draw.soon);
  table.addEventListener('toggle', draw.now);
  themeChanged(chart.restyle);
  return h(
    'figure',
    { class: 'chart' },
    h('figcaption', { class: 'titled' }, h('h3', {}, 'Validation loss'), save.element),
    h('div', { class: 'plot-place' }, chart.element, empty),
    table,
  );
}
