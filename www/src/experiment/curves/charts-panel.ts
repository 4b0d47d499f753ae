import './curves.css';
import { h } from '../../controls/dom';
import type { Experiment } from '../experiment';
import { chartControls } from './chart-controls';
import { diagnosticsChart } from './diagnostics-chart';
import { lossChart } from './loss-chart';
import { readouts } from './readouts';
import { type MetricsSource, saveMetrics } from './save-metrics';
import { timesBar } from './times-bar';
import { validationChart } from './validation-chart';

/** Curves and numbers of the training. */
export function chartsPanel(app: Experiment, source: () => MetricsSource): HTMLElement[] {
  return [
    chartControls(app),
    h('div', { class: 'charts' }, lossChart(app), validationChart(app), diagnosticsChart(app)),
    readouts(app),
    saveMetrics(app, source),
    timesBar(app),
  ];
}
