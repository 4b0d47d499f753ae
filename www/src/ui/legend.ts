import type { App } from '../app';
import { fill, h } from './dom';
import { swatch } from './run-style';

/** Names and looks of the runs in the charts. */
export function legend(app: App): HTMLElement {
  const list = h('ul', { class: 'chart-legend' });
  app.trainedRuns.watch((runs) => {
    fill(list, ...runs.map((run) => h('li', {}, swatch(run.style), run.name)));
  });
  return list;
}
