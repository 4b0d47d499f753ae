import { lineChart } from '../../charts/chart';
import { chartSvg } from '../../charts/chart-svg';
import { saveChart } from '../../charts/save-chart';
import { freshId, h, setText } from '../../controls/dom';
import { checkField, choiceField } from '../../controls/field';
import { paced } from '../../controls/frame';
import { themeChanged } from '../../controls/theme-changed';
import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import { type Quantity, quantities } from '../../metrics/quantities';
import type { Experiment } from '../experiment';
import { quantityState, quantitySummary } from './chart-state';
import { quantityWords } from './quantity-words';
import { stepTable } from './step-table';

// Narrower windows have no room for what not everybody asks for.
const WIDE = '(min-width: 621px)';

/** What happens inside the runs, one quantity at a time. */
export function diagnosticsChart(app: Experiment): HTMLElement {
  const quantity = () => app.config.value.view.quantity;
  const name = () => quantityWords[quantity()].name;
  const chart = lineChart('Diagnostics over steps', false);
  const empty = h('p', { class: 'empty' });
  const about = h('p', { class: 'hint', id: freshId('quantity') });
  const choice = choiceField<Quantity>({
    label: 'Show',
    help: 'Which number of every step is drawn, for all runs; the losses above are of the same steps.',
    class: 'quantity',
    choices: quantities.map((one) => [one, quantityWords[one].name] as const),
    onInput: (value) =>
      app.change(({ view }) => {
        view.quantity = value;
      }),
  });
  const select = choice.element.querySelector('select');
  select?.setAttribute('aria-describedby', `${about.id} ${select.dataset.help ?? ''}`);
  const log = checkField('Logarithmic axis', (value) =>
    app.change(({ view }) => {
      view.quantityLog[view.quantity] = value;
    }),
  );
  const stateNow = (metrics: ExperimentMetrics) => {
    const { smoothing, quantityLog } = app.config.value.view;
    const view = {
      smoothing: quantityWords[quantity()].noisy ? smoothing : 0,
      logScale: quantityLog[quantity()],
    };
    return quantityState(metrics, app.shownRuns, quantity(), view);
  };
  const save = saveChart('diagnostics', {
    file: () => quantity().replaceAll('_', '-'),
    svg: (look) => {
      const metrics = app.metrics.value;
      if (metrics === null) return null;
      const legend = app.shownRuns.map(({ run }) => run);
      const state = stateNow(metrics);
      return chartSvg(
        { title: name(), stepName: 'Step', state, legend, points: false, logSteps: false },
        look,
      );
    },
  });
  const table = stepTable(app, { name, at: (run, step) => run.track(quantity()).at(step) });
  const figure = h(
    'figure',
    { class: 'chart', 'aria-label': 'Diagnostics' },
    h(
      'div',
      { class: 'diagnostics-head' },
      choice.element,
      h(
        'div',
        { class: 'diagnostics-words' },
        about,
        h('div', { class: 'row view' }, log.element, save.element),
      ),
    ),
    h('div', { class: 'plot-place' }, chart.element, empty),
    table.element,
  );
  const element = h(
    'details',
    { class: 'diagnostics', id: app.id('diagnostics'), open: matchMedia(WIDE).matches },
    h('summary', {}, h('h3', {}, 'Diagnostics')),
    figure,
  );

  const draw = paced(() => {
    const { metrics } = app;
    const begun = metrics.value !== null && metrics.value.step > 0;
    const measured = metrics.value?.runs.some((run) => !run.track(quantity()).empty) ?? false;
    empty.hidden = measured;
    save.enable(measured);
    setText(
      empty,
      begun
        ? 'Not measured in this training. Switch on Diagnostics in the settings before the next one.'
        : 'Curves appear here once training starts.',
    );
    // A closed chart has no width to be drawn in.
    if (metrics.value === null || !element.open) return;
    chart.show(stateNow(metrics.value));
  });
  // Not at every step: a screen reader would never come to an end.
  const summarise = () => {
    if (app.metrics.value === null) return;
    const words = quantitySummary(app.shownRuns, quantity());
    chart.summarise(words, `${name()} over steps`);
  };
  app.config.watchTo(
    ({ view }) => view,
    (view) => {
      choice.show(view.quantity);
      setText(about, quantityWords[view.quantity].about);
      log.show(view.quantityLog[view.quantity]);
    },
  );
  app.config.subscribeTo(
    ({ view }) => [view.quantity, view.quantityLog, view.smoothing, view.compared, view.comparedLr],
    draw.now,
  );
  const showQuantity = () => {
    summarise();
    table.redraw();
  };
  app.config.subscribeTo(({ view }) => view.quantity, showQuantity);
  showQuantity();
  app.measured.watch(draw.soon);
  app.lab.phase.watch(summarise);
  element.addEventListener('toggle', draw.now);
  themeChanged(chart.restyle);
  return element;
}
