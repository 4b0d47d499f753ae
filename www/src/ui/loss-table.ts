import type { App } from '../app';
import { fill, h } from './dom';
import { paced } from './frame';
import { measure } from './words';

const MOST_ROWS = 100;

/** The chart's numbers as a table; only made while it is open. */
export function lossTable(app: App): HTMLElement {
  const host = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Training losses' });
  const element = h('details', { class: 'numbers' }, h('summary', {}, 'Numbers'), host);
  const draw = paced(() => {
    if (!element.open) return;
    const { runs = [], step = 0 } = app.metrics.value ?? {};
    const head = h('tr', {}, h('th', { scope: 'col' }, 'Step'));
    for (const run of app.trainedRuns.value) head.append(h('th', { scope: 'col' }, run.name));
    const rows: HTMLElement[] = [];
    for (let at = step; at > 0 && rows.length < MOST_ROWS; at -= 1) {
      const cells = runs.map((run) => h('td', {}, measure(run.losses[at - 1] ?? null)));
      rows.push(h('tr', {}, h('th', { scope: 'row' }, String(at)), ...cells));
    }
    fill(host, h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)));
  });
  element.addEventListener('toggle', draw.now);
  app.measured.subscribe(draw.soon);
  return element;
}
