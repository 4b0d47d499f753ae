import './comparison.css';
import type { Compared } from '../../config/config';
import { fill, freshId, h } from '../../controls/dom';
import { setting } from '../../words/numbers';
import type { Experiment } from '../experiment';

/** What is compared at several values, rising; none where there is nothing to choose. */
export interface ComparedValues {
  /** `lr`. */
  word: string;
  values: readonly number[];
  /** The value that has curves where one is asked for. */
  shown: number | null;
}

/** Which runs have curves: all, those at one value, or the best of each method. `read` says what there is now. */
export function comparisonSwitch(app: Experiment, id: string, same: string, read: () => ComparedValues) {
  const names: readonly (readonly [Compared, string])[] = [
    ['all', 'All runs'],
    ['rate', same],
    ['best', 'Each at its best'],
  ];
  const group = freshId('compared');
  const inputs = names.map(([value, name]) => {
    const own = freshId('compared');
    const input = h('input', {
      type: 'radio',
      id: own,
      name: group,
      onchange: () => app.change(({ view }) => Object.assign(view, { compared: value })),
    });
    return { value, input, element: h('span', { class: 'segment' }, input, h('label', { for: own }, name)) };
  });
  const choice = h('select', {
    'aria-label': 'Value whose runs have curves',
    onchange: () => app.change(({ view }) => Object.assign(view, { comparedLr: Number(choice.value) })),
  });
  const element = h(
    'fieldset',
    { class: 'comparison', id },
    h('legend', { class: 'unseen' }, 'Curves of'),
    ...inputs.map((one) => one.element),
    choice,
  );
  const show = () => {
    const { word, values, shown } = read();
    const { compared } = app.config.value.view;
    element.hidden = values.length < 2;
    for (const { value, input } of inputs) input.checked = value === compared;
    choice.hidden = compared !== 'rate';
    fill(choice, ...values.map((one) => h('option', { value: String(one) }, `${word} ${setting(one)}`)));
    choice.value = String(shown);
  };
  app.config.subscribeTo(({ view }) => [view.compared, view.comparedLr], show);
  show();
  return { element, show };
}
