import { freshId, h, setText } from '../../controls/dom';
import { checkField } from '../../controls/field';
import { ratesSwitch } from '../comparison/rates-switch';
import type { Experiment } from '../experiment';
import { legend } from './legend';

/** Names of the curves, and how they are drawn. */
export function chartControls(app: Experiment): HTMLElement {
  const id = freshId('smoothing');
  const amount = h('output', { for: id });
  const slider = h('input', {
    type: 'range',
    id,
    min: 0,
    step: 0.01,
    oninput: () =>
      app.change(({ view }) => {
        view.smoothing = Number(slider.value);
      }),
  });
  slider.max = '0.98';
  const log = checkField('Log axis', (value) =>
    app.change(({ view }) => {
      view.logScale = value;
    }),
  );
  app.config.watchTo(
    ({ view }) => view,
    (view) => {
      slider.value = String(view.smoothing);
      setText(amount, view.smoothing.toFixed(2));
      log.show(view.logScale);
    },
  );
  return h(
    'div',
    { class: 'charts-head' },
    h('div', { class: 'stack' }, ratesSwitch(app), legend(app)),
    h('div', { class: 'row view' }, log.element, h('label', { for: id }, 'Smoothing'), slider, amount),
  );
}
