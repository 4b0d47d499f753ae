import { fill, givenName, h } from '../../controls/dom';
import { paced } from '../../controls/frame';
import type { RunSeries } from '../../metrics/run-series';
import { measure } from '../../words/numbers';
import type { Experiment } from '../experiment';

const MOST_ROWS = 100;

/** What a table shows; it may change from one drawing to the next. */
interface StepNumbers {
  name(): string;
  at(run: RunSeries, step: number): number | null;
}

/** The numbers of a chart over steps as a table, the last steps first; only made while it is open. */
export function stepTable(app: Experiment, numbers: StepNumbers) {
  const host = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': numbers.name() });
  const element = h('details', { class: 'numbers' }, h('summary', {}, 'Numbers'), host);
  const draw = paced(() => {
    if (!element.open) return;
    host.setAttribute('aria-label', numbers.name());
    const { runs = [], step = 0 } = app.metrics.value ?? {};
    const head = h('tr', {}, h('th', { scope: 'col' }, 'Step'));
    for (const run of app.trainedRuns.value) head.append(h('th', { scope: 'col' }, givenName(run.name)));
    const rows: HTMLElement[] = [];
    for (let at = step; at > 0 && rows.length < MOST_ROWS; at -= 1) {
      const cells = runs.map((run) => h('td', {}, measure(numbers.at(run, at))));
      rows.push(h('tr', {}, h('th', { scope: 'row' }, String(at)), ...cells));
    }
    fill(host, h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)));
  });
  element.addEventListener('toggle', draw.now);
  app.measured.subscribe(draw.soon);
  return { element, redraw: draw.now };
}
