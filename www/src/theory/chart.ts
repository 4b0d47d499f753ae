import { lineChart } from '../charts/chart';
import { chartSvg } from '../charts/chart-svg';
import { saveChart } from '../charts/save-chart';
import { h } from '../controls/dom';
import { inFrame } from '../controls/frame';
import { themeChanged } from '../controls/theme-changed';
import { stateOf } from './chart-state';
import { methods, theoryMethodNames } from './config';
import type { TheoryLab } from './lab';
import { sentenceOf } from './words';

/** Relative error of all methods over iterations, both axes logarithmic. */
export function theoryChart(lab: TheoryLab) {
  const chart = lineChart('Relative error over iterations', false, true);
  const empty = h('p', { class: 'empty' }, 'Curves appear here as soon as the engine has started.');
  const save = saveChart('relative error', {
    file: () => 'relative-error',
    svg: (look) =>
      chartSvg(
        {
          title: 'Relative error',
          stepName: 'Iteration',
          state: stateOf(lab.state.value.curves),
          legend: methods.map((method, style) => ({ style, name: theoryMethodNames[method] })),
          points: false,
          logSteps: true,
        },
        look,
      ),
  });
  save.enable(false);
  const draw = inFrame(() => {
    const { curves, phase } = lab.state.value;
    if (curves.length === 0) return;
    empty.hidden = true;
    save.enable(true);
    chart.show(stateOf(curves));
    // Not at every report: a screen reader would never come to an end.
    if (phase === 'finished') chart.summarise(curves.map(sentenceOf).join(' '));
  });
  lab.state.watch(draw);
  themeChanged(chart.restyle);
  return { element: h('div', { class: 'plot-place' }, chart.element, empty), save: save.element };
}
