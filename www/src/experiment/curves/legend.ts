import { swatch } from '../../charts/run-style';
import { fill, h } from '../../controls/dom';
import type { Experiment } from '../experiment';

/** Names and looks of the runs in the charts. */
export function legend(app: Experiment): HTMLElement {
  const list = h('ul', { class: 'chart-legend' });
  const show = () => {
    // Before the first training, the runs of the table.
    const runs = app.trainedRuns.value.length > 0 ? app.trainedRuns.value : app.config.value.runs;
    fill(list, ...runs.map((run) => h('li', {}, swatch(run.style), run.name)));
  };
  app.trainedRuns.watch(show);
  app.config.subscribeTo(({ runs }) => runs.map(({ name, style }) => [name, style]), show);
  return list;
}
