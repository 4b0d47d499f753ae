import { swatch } from '../../charts/run-style';
import type { RunConfig } from '../../config/config';
import { fill, h } from '../../controls/dom';
import { setting } from '../../words/numbers';
import { areRatesCompared, methodsOf } from '../comparison/methods';
import type { Experiment } from '../experiment';

/** Names and looks of the runs in the charts; where methods are compared at several learning rates, a line a method. */
export function legend(app: Experiment): HTMLElement {
  const list = h('ul', { class: 'chart-legend' });
  let before: unknown[] = [];
  const show = () => {
    const { trainedRuns, metrics, config } = app;
    const trained = trainedRuns.value.length > 0;
    // Before the first training, the runs of the table.
    const runs = trained ? trainedRuns.value : config.value.runs;
    const shown = trained ? app.shownRuns.map(({ index }) => index) : [...runs.keys()];
    const now = [runs, ...shown];
    if (now.length === before.length && now.every((one, place) => one === before[place])) return;
    before = now;
    fill(list, ...lines(runs, new Set(shown), metrics.value?.steps ?? config.value.session.steps));
  };
  app.trainedRuns.watch(show);
  app.measured.subscribe(show);
  app.config.subscribeTo(
    ({ runs, view }) => [runs, view.compared, view.comparedLr],
    () => {
      before = [];
      show();
    },
  );
  return list;
}

function lines(runs: readonly RunConfig[], shown: ReadonlySet<number>, steps: number): HTMLElement[] {
  const methods = methodsOf(runs, steps);
  if (!areRatesCompared(methods))
    return runs.flatMap((run, index) => (shown.has(index) ? h('li', {}, swatch(run.style), run.name) : []));
  return methods.flatMap(({ name, runs: own }) => {
    const rates = own.filter(({ index }) => shown.has(index));
    if (rates.length === 0) return [];
    const looks = rates.map(({ index, lr }) =>
      h('span', { class: 'legend-rate' }, swatch(runs[index]?.style ?? 0), setting(lr)),
    );
    return h('li', { class: 'legend-method' }, h('span', {}, `${name}, lr`), ...looks);
  });
}
