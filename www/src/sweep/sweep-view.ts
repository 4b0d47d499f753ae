import './sweep.css';
import { h } from '../controls/dom';
import { resultsFilePanel } from './results-file-panel';
import { robustness, sweepCurves } from './results-panel';
import { sweepControls } from './settings-panel';
import type { Sweep } from './sweep';
import { sweepTransport } from './transport';

/** Methods over learning rates, ranks or dampings: set up, trained and judged. */
export function sweepView(sweep: Sweep): HTMLElement[] {
  return [
    h('div', { class: 'setup' }, ...sweepControls(sweep)),
    h(
      'div',
      { class: 'bench' },
      h(
        'section',
        { id: 'sweep-results', 'aria-labelledby': 'sweep-title', tabindex: '-1' },
        h('h2', { id: 'sweep-title' }, 'Robustness'),
        ...sweepTransport(sweep),
        ...resultsFilePanel(sweep),
        ...robustness(sweep),
      ),
      h(
        'section',
        { 'aria-labelledby': 'sweep-curves-title' },
        h('h2', { id: 'sweep-curves-title' }, 'All curves'),
        ...sweepCurves(sweep),
      ),
    ),
  ];
}
