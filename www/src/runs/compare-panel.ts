import { type ChartState, lineChart } from '../charts/chart';
import { type ChartPicture, chartSvg } from '../charts/chart-svg';
import { swatch } from '../charts/run-style';
import { saveChart } from '../charts/save-chart';
import { fill, givenName, h } from '../controls/dom';
import { themeChanged } from '../controls/theme-changed';
import { smooth } from '../metrics/smooth';
import { aligned } from '../metrics/thin';
import { measure } from '../words/numbers';
import { compareRuns } from './compare';
import type { RunRecord } from './record';

/** Two runs side by side: both curves in one chart, and the settings that differ. */
export function runsCompare(close: () => void) {
  const chart = lineChart('Training losses of two runs', false);
  const legend = h('ul', { class: 'chart-legend' });
  let picture: ChartPicture | null = null;
  const save = saveChart('the comparison', {
    file: () => 'two-runs',
    svg: (look) => (picture === null ? null : chartSvg(picture, look)),
  });
  const words = h('p', { class: 'hint', role: 'status', id: 'compare-words' });
  const table = h('div', {
    class: 'scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Settings of both runs',
  });
  const title = h('h2', { id: 'compare-title', tabindex: '-1' }, 'Two runs');
  const closeButton = h('button', { type: 'button', class: 'quiet', onclick: close }, 'Close');
  const element = h(
    'section',
    { id: 'compare', 'aria-labelledby': 'compare-title', hidden: true },
    h('div', { class: 'row between' }, title, closeButton),
    h('div', { class: 'titled' }, legend, save.element),
    h('div', { class: 'plot-place' }, chart.element),
    words,
    table,
  );
  themeChanged(chart.restyle);
  return {
    element,
    show(pair: readonly [RunRecord, RunRecord] | null, smoothing: number) {
      const opens = element.hidden;
      element.hidden = pair === null;
      if (pair === null) return;
      const differences = compareRuns(...pair);
      const differing = differences.filter(({ differs }) => differs).map(({ name }) => name);
      fill(legend, ...pair.map(({ name }, style) => h('li', {}, swatch(style), name)));
      const state = stateOf(pair, smoothing);
      const names = pair.map(({ name }, style) => ({ style, name }));
      const about = {
        title: 'Training losses of two runs',
        stepName: 'Step',
        points: false,
        logSteps: false,
      };
      picture = { ...about, state, legend: names };
      chart.show(state);
      chart.summarise(
        pair
          .map((run) => `${run.name}: from ${measure(run.firstLoss)} to ${measure(run.lastLoss)}.`)
          .join(' '),
      );
      words.textContent =
        differing.length === 0 ? 'They differ in nothing.' : `They differ in ${differing.join(', ')}.`;
      const heads = ['', ...pair.map(({ name }) => name)].map((name) =>
        h('th', { scope: 'col' }, givenName(name)),
      );
      heads[0]?.append(h('span', { class: 'unseen' }, 'Setting'));
      const rows = differences.map(({ name, values, differs }) => {
        const mark = differs ? h('span', { class: 'unseen' }, ' (differs)') : null;
        const cells = values.map((value) => h('td', {}, givenName(value)));
        return h('tr', { class: differs ? 'differs' : '' }, h('th', { scope: 'row' }, name, mark), ...cells);
      });
      const body = h('tbody', {}, ...rows);
      fill(table, h('table', { id: 'compare-table' }, h('thead', {}, h('tr', {}, ...heads)), body));
      if (opens) title.focus();
    },
  };
}

function stateOf(pair: readonly [RunRecord, RunRecord], smoothing: number): ChartState {
  const { steps, values } = aligned(
    pair.map(({ curve }) => ({ ...curve, values: smooth(curve.values, smoothing) })),
  );
  const curves = values.map((own, style) => ({ run: { style }, values: own, faint: false }));
  const marks = pair.flatMap(({ divergedAt }, style) =>
    divergedAt === null ? [] : [{ run: { style }, step: divergedAt }],
  );
  const highest = Math.max(...pair.map(({ firstLoss, lastLoss }) => Math.max(firstLoss ?? 0, lastLoss ?? 0)));
  const ceiling = highest > 0 ? 2 * highest : Number.POSITIVE_INFINITY;
  return { steps, curves, marks, logScale: false, ceiling, lastStep: steps.at(-1) ?? 1 };
}
