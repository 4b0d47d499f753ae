import type { Sweep } from '../sweep/sweep';
import { h } from './dom';
import { sweepControls } from './sweep-controls';
import { robustness, sweepCurves } from './sweep-results';
import { sweepTransport } from './sweep-transport';

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
