import { pointSwatch } from '../../charts/robustness/point-shape';
import { robustnessChart } from '../../charts/robustness/robustness-chart';
import type { RobustnessState } from '../../charts/robustness/robustness-state';
import { robustnessSvg } from '../../charts/robustness/robustness-svg';
import { saveChart } from '../../charts/save-chart';
import { fill, h, setText } from '../../controls/dom';
import { paced } from '../../controls/frame';
import { themeChanged } from '../../controls/theme-changed';
import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import { measure, setting } from '../../words/numbers';
import type { Experiment } from '../experiment';
import { bestOf, lossOf } from './best';
import { areRatesCompared, type ComparedMethod, methodsOf } from './methods';

// What ends so far above the base is of no use, and its height would flatten all others.
const HEADROOM = 1.3;

/** Validation losses over learning rates, a line a method; only there where a method is trained at several. */
export function ratesChart(app: Experiment): HTMLElement {
  const title = 'Validation loss over learning rate';
  const chart = robustnessChart(title);
  const legend = h('ul', { class: 'chart-legend' });
  const empty = h(
    'p',
    { class: 'empty' },
    'Points appear at the first validation, and move as the runs train.',
  );
  const when = h('span', { class: 'hint' });
  const key = h(
    'p',
    { class: 'hint' },
    'Ring: best of the method. Cross: diverged. Arrow: far above the base.',
  );
  const methodsNow = () => {
    const { trainedRuns, metrics, config } = app;
    const runs = trainedRuns.value.length > 0 ? trainedRuns.value : config.value.runs;
    return methodsOf(runs, metrics.value?.steps ?? config.value.session.steps);
  };
  const save = saveChart('losses over learning rates', {
    file: () => 'loss-over-lr',
    svg: (look) => {
      if (app.metrics.value === null) return null;
      const methods = methodsNow();
      const state = ratesState(methods, app.metrics.value);
      return robustnessSvg({ title, varied: 'learning rate', state, legend: methods }, look);
    },
  });
  const element = h(
    'figure',
    { class: 'chart rates-chart', id: app.id('rates') },
    h('figcaption', { class: 'titled' }, h('h3', {}, title), save.element),
    legend,
    h('div', { class: 'plot-place' }, chart.element, empty),
    h('p', { class: 'row' }, when, key),
  );
  const draw = paced(() => {
    const metrics = app.metrics.value;
    const methods = methodsNow();
    element.hidden = !areRatesCompared(methods);
    if (element.hidden) return;
    fill(legend, ...methods.map(({ name, style }) => h('li', {}, pointSwatch(style), name)));
    const state = metrics === null ? null : ratesState(methods, metrics);
    const measured = state?.lines.some(({ points }) => points.length > 0) ?? false;
    empty.hidden = measured;
    save.enable(measured);
    if (state === null || !measured) return;
    chart.show(state);
    const step = Math.max(0, ...(metrics?.runs ?? []).map(({ lastValidation }) => lastValidation?.step ?? 0));
    setText(when, `After step ${step}.`);
    chart.summarise(wordsOf(methods, metrics));
  });
  app.measured.watch(draw.soon);
  app.trainedRuns.subscribe(draw.now);
  app.config.subscribeTo(({ runs }) => runs.map(({ optimizer }) => optimizer), draw.soon);
  themeChanged(chart.restyle);
  return element;
}

/** The last losses that were measured; what has none yet is no point. */
export function ratesState(methods: readonly ComparedMethod[], metrics: ExperimentMetrics): RobustnessState {
  const first = metrics.runs.map(({ validation }) => validation[0]).find((point) => point?.step === 0);
  const baseLoss = first?.loss ?? null;
  const lines = methods.map((method) => ({
    style: method.style,
    points: method.runs.flatMap(({ index, lr }) => {
      const run = metrics.runs[index];
      const begun = run !== undefined && (run.divergedAt !== null || (run.lastValidation?.step ?? 0) > 0);
      return begun ? [{ value: lr, loss: lossOf(metrics, index) }] : [];
    }),
    best: bestOf(method, metrics)?.lr ?? null,
  }));
  const losses = lines.flatMap(({ points }) => points.flatMap(({ loss }) => loss ?? []));
  return { lines, baseLoss, ceiling: HEADROOM * (baseLoss ?? 2 * Math.min(...losses)) };
}

function wordsOf(methods: readonly ComparedMethod[], metrics: ExperimentMetrics | null): string {
  if (metrics === null) return '';
  return methods
    .map((method) => {
      const best = bestOf(method, metrics);
      return best === null
        ? `${method.name}: nothing yet.`
        : `${method.name}: best ${measure(best.loss)} at ${setting(best.lr)}.`;
    })
    .join(' ');
}
