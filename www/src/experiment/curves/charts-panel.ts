import './curves.css';
import { h } from '../../controls/dom';
import { ratesChart } from '../comparison/rates-chart';
import { verdictPanel } from '../comparison/verdict-panel';
import type { Experiment } from '../experiment';
import { chartControls } from './chart-controls';
import { diagnosticsChart } from './diagnostics-chart';
import { layerMap } from './layer-map';
import { lossChart } from './loss-chart';
import { readouts } from './readouts';
import { type MetricsSource, saveMetrics } from './save-metrics';
import { timesBar } from './times-bar';
import { validationChart } from './validation-chart';

/** Curves and numbers of the training. */
export function chartsPanel(app: Experiment, source: () => MetricsSource): HTMLElement[] {
  return [
    verdictPanel(app),
    chartControls(app),
    h(
      'div',
      { class: 'charts' },
      lossChart(app),
      ratesChart(app),
      validationChart(app),
      diagnosticsChart(app),
      layerMap(app),
    ),
    readouts(app),
    saveMetrics(app, source),
    timesBar(app),
  ];
}
