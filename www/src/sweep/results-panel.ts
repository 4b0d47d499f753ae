import { lineChart } from '../charts/chart';
import { chartSvg } from '../charts/chart-svg';
import { pointSwatch } from '../charts/robustness/point-shape';
import { robustnessChart } from '../charts/robustness/robustness-chart';
import { type RobustnessPicture, robustnessSvg } from '../charts/robustness/robustness-svg';
import { swatch } from '../charts/run-style';
import { saveChart } from '../charts/save-chart';
import { scaleOf } from '../config/matrix-rate';
import { fill, h } from '../controls/dom';
import { choiceField } from '../controls/field';
import { paced } from '../controls/frame';
import { failureBox } from '../controls/message';
import { themeChanged } from '../controls/theme-changed';
import { comparisonSwitch } from '../experiment/comparison/comparison-switch';
import type { MethodSummary } from '../protocol';
import { measure, setting } from '../words/numbers';
import { curvesState, robustnessState, sweptValues, valueShown } from './chart-state';
import { lineNames, questionOf, type SummedLine, summedLines } from './lines';
import { quantityNames } from './quantity-names';
import type { SweepRecord } from './record';
import type { Sweep } from './sweep';
import { outcomeWords, sentenceOf, widthWords } from './words';

/** The robustness chart, in words and in numbers. */
export function robustness(sweep: Sweep): HTMLElement[] {
  const chart = robustnessChart('Final validation loss');
  const empty = h('p', { class: 'empty' }, 'Points appear here when the first runs have finished.');
  const title = h('h3', {}, 'Validation loss after the last step');
  const legend = h('ul', { class: 'chart-legend' });
  const key = h(
    'p',
    { class: 'hint' },
    'Ring: best of the method. With several seeds points are their means, and bands reach from the lowest to the highest. Cross at the top: diverged. Arrow at the top: far above the base. Dotted line: the base before any step.',
  );
  const words = h('ul', { class: 'sweep-words', id: 'sweep-words' });
  const table = h('div', region('Methods of the sweep'));
  const numbers = h('div', region('Validation losses of the sweep'));
  const details = h('details', { class: 'numbers' }, h('summary', {}, 'Numbers'), numbers);
  const failure = failureBox();

  const axis = choiceField<'lr' | 'matrix'>({
    label: 'Axis',
    help: 'lr, or lr · s² with the scale s of the adapters: the rate of the step on ΔW itself, by which sweeps of different alpha and rank are compared.',
    choices: [
      ['lr', 'lr'],
      ['matrix', 'lr · s²'],
    ],
    onInput: (value) => {
      onMatrix = value === 'matrix';
      void summarise(sweep.shown.value);
    },
  });
  let onMatrix = false;
  let picture: RobustnessPicture | null = null;
  const save = saveChart('robustness', {
    file: () => 'robustness',
    svg: (look) => (picture === null ? null : robustnessSvg(picture, look)),
  });
  save.enable(false);

  const draw = (record: SweepRecord | null, summaries: readonly MethodSummary[]) => {
    const lines = record === null ? [] : summedLines(record, summaries);
    const quantity = record?.basis.quantity ?? sweep.config.value.quantity;
    empty.hidden = lines.length > 0;
    for (const part of [legend, key, words, table, details]) part.hidden = lines.length === 0;
    axis.element.hidden = quantity !== 'lr' || lines.length === 0;
    const isMatrix = onMatrix && quantity === 'lr';
    const varied = isMatrix ? 'lr · s²' : quantityNames[quantity];
    title.textContent = `Validation loss after the last step, over ${varied}`;
    picture = null;
    save.enable(lines.length > 0);
    if (record === null || lines.length === 0) return;
    const factor = isMatrix ? scaleOf(record.basis.session) ** 2 : 1;
    const state = robustnessState(record, lines, factor);
    picture = { title: title.textContent, varied, state, legend: lines };
    chart.show(state);
    const sentences = lines.map((line) => sentenceOf(line, quantity));
    chart.summarise(sentences.join(' '));
    fill(legend, ...lines.map(({ style, name }) => h('li', {}, pointSwatch(style), name)));
    fill(words, ...sentences.map((sentence) => h('li', {}, sentence)));
    fill(
      table,
      summaryTable(lines, quantityNames[quantity]),
      h(
        'p',
        { class: 'hint' },
        `Width: over how many decades of ${quantityNames[quantity]} the loss stays within 5 % of the method’s own best, ` +
          'or of the best of all. At least from the first to the last value that was tried there, at most to their ' +
          'neighbours; values between bring the two nearer.',
      ),
    );
    fill(numbers, lossTable(lines, quantityNames[quantity], record.baseLoss));
  };
  let asked = 0;
  const summarise = async (record: SweepRecord | null) => {
    asked += 1;
    const mine = asked;
    if (record === null || record.results.length === 0) return draw(null, []);
    const answer = await sweep.app.lab.summariseSweep(questionOf(record));
    if (mine !== asked) return;
    failure.show(answer.ok ? null : answer.failure);
    if (answer.ok) draw(record, answer.value);
  };
  sweep.shown.watch((record) => void summarise(record));
  sweep.config.subscribeTo(
    ({ quantity }) => quantity,
    () => void summarise(sweep.shown.value),
  );
  // What was kept is there before the engine is.
  sweep.app.lab.engineReport.subscribe(({ status }) => {
    if (status === 'ready') void summarise(sweep.shown.value);
  });
  themeChanged(chart.restyle);
  return [
    h(
      'figure',
      { class: 'chart' },
      h('figcaption', { class: 'titled' }, title, save.element),
      legend,
      axis.element,
      h('div', { class: 'plot-place robustness' }, chart.element, empty),
      key,
    ),
    failure.element,
    words,
    table,
    details,
  ];
}

function region(name: string) {
  return { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name };
}

function summaryTable(lines: readonly SummedLine[], varied: string): HTMLElement {
  const heads = [
    'Best loss',
    `At ${varied}`,
    'Width, own (decades)',
    'Width, overall (decades)',
    'Diverged',
    'Worse than base',
  ];
  const rows = lines.map(({ name, style, runs, summary }) => {
    const of = (amount: number) => `${amount} of ${runs.length}`;
    const cells = [
      measure(summary.best_loss),
      setting(summary.best_lr) || '–',
      widthWords(summary.width_own),
      widthWords(summary.width_overall),
      of(summary.diverged),
      of(summary.worse_than_base),
    ];
    const head = h('th', { scope: 'row' }, pointSwatch(style), name);
    const data = cells.map((text, index) => h('td', { 'data-column': heads[index] ?? '' }, text));
    return h('tr', { 'data-method': name }, head, ...data);
  });
  return h(
    'table',
    { id: 'sweep-summary', class: 'dense' },
    h('caption', { class: 'unseen' }, 'How each method did'),
    h('thead', {}, h('tr', {}, ...['Method', ...heads].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, ...rows),
  );
}

function lossTable(lines: readonly SummedLine[], varied: string, baseLoss: number | null): HTMLElement {
  const all = lines.flatMap(({ runs }) => runs.map(({ value }) => value));
  const values = [...new Set(all)].sort((one, other) => one - other);
  const rows = values.map((value) => {
    const cells = lines.map(({ runs }) => {
      const { diverged, words } = outcomeWords(runs.filter((one) => one.value === value));
      return h('td', diverged ? { class: 'diverged' } : {}, words);
    });
    return h('tr', {}, h('th', { scope: 'row' }, setting(value)), ...cells);
  });
  const heads = [varied, ...lines.map(({ name }) => name)].map((name) => h('th', { scope: 'col' }, name));
  return h(
    'table',
    { id: 'sweep-losses', class: 'dense' },
    h('caption', {}, `Base before any step: ${measure(baseLoss)}`),
    h('thead', {}, h('tr', {}, ...heads)),
    h('tbody', {}, ...rows),
  );
}

/** Training losses of all runs, while they fall. */
export function sweepCurves(sweep: Sweep): HTMLElement[] {
  const { app } = sweep;
  const chart = lineChart('Training loss of all runs of the sweep', false);
  const empty = h('p', { class: 'empty' }, 'Curves appear here once the sweep has started.');
  const legend = h('ul', { class: 'chart-legend' });
  const note = h('p', { class: 'hint' }, 'Smoothing and axis are those of the Language tab.');
  let shown = '';
  const recordNow = () =>
    sweep.bank !== null && sweep.shown.value?.key !== sweep.key ? null : sweep.shown.value;
  const namesNow = () => lineNames(recordNow(), sweep.bank?.points ?? [], sweep.config.value.quantity);
  const save = saveChart('curves of the sweep', {
    file: () => 'sweep-curves',
    svg: (look) => {
      const state = curvesState(recordNow(), sweep.bank, app.config.value.view);
      const names = namesNow().map((name, style) => ({ style, name }));
      const about = { title: 'Training loss of all runs', stepName: 'Step', points: false, logSteps: false };
      return chartSvg({ ...about, state, legend: names }, look);
    },
  });
  const draw = paced(() => {
    const state = curvesState(recordNow(), sweep.bank, app.config.value.view);
    save.enable(state.steps.length > 0);
    empty.hidden = state.steps.length > 0;
    legend.hidden = !empty.hidden;
    if (state.steps.length === 0) return;
    chart.show(state);
    const names = namesNow();
    const now = [...names, state.curves.length].join();
    if (now !== shown) {
      fill(legend, ...names.map((name, style) => h('li', {}, swatch(style), name)));
      shown = now;
      const runs = state.curves.length;
      chart.summarise(`${runs} curves of ${names.length} methods; the final losses are in the tables above.`);
    }
  });
  const compared = comparisonSwitch(app, 'sweep-comparison', 'Same value', () => {
    const values = sweptValues(recordNow(), sweep.bank);
    const quantity = sweep.config.value.quantity;
    return {
      word: quantityNames[quantity],
      values,
      shown: valueShown(values, app.config.value.view.comparedLr),
    };
  });
  let drawn: unknown[] = [];
  sweep.measured.watch(() => {
    // It tells of every keystroke too: how many runs are left to be trained follows the settings.
    const steps = sweep.bank?.metrics.runs.reduce((sum, { losses }) => sum + losses.length, 0);
    const now = [recordNow(), sweep.bank, steps];
    if (drawn.length > 0 && now.every((one, place) => one === drawn[place])) return;
    drawn = now;
    compared.show();
    draw.soon();
  });
  app.config.subscribeTo(
    ({ view }) => [view.smoothing, view.logScale, view.compared, view.comparedLr],
    draw.now,
  );
  themeChanged(chart.restyle);
  return [
    compared.element,
    h('div', { class: 'titled' }, legend, save.element),
    h('div', { class: 'plot-place' }, chart.element, empty),
    note,
  ];
}
