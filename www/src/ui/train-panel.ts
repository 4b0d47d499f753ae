import type { Experiment } from '../experiment';
import { chartControls } from './chart-controls';
import { diagnosticsChart } from './diagnostics-chart';
import { h } from './dom';
import { lossChart } from './loss-chart';
import { failureBox, noticeBox } from './message';
import { readouts } from './readouts';
import { type MetricsSource, saveMetrics } from './save-metrics';
import { timesBar } from './times-bar';
import { transport } from './transport';
import { validationChart } from './validation-chart';

/** Controls, curves and numbers of the training. */
export function trainPanel(app: Experiment, source: () => MetricsSource): HTMLElement[] {
  const problem = failureBox();
  const notice = noticeBox();
  app.lab.failure.watch((failure) => problem.show(failure));
  app.lab.notice.watch((words) => notice.show(words));
  return [
    transport(app),
    problem.element,
    notice.element,
    chartControls(app),
    h('div', { class: 'charts' }, lossChart(app), validationChart(app), diagnosticsChart(app)),
    readouts(app),
    saveMetrics(app, source),
    timesBar(app),
  ];
}
