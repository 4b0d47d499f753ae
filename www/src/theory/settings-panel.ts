import { h } from '../controls/dom';
import { settingField, settingFields } from '../controls/setting-field';
import type { TheorySettings } from '../protocol';
import { problemSettings, rateChoice, rateSettings } from './settings';

/** Everything that decides about a problem. Edits `settings` and says so. */
export function theoryControls(settings: TheorySettings, changed: () => void) {
  const edit = (change: (settings: TheorySettings) => void) => {
    change(settings);
    rateFields.disabled = settings.best_of_grid;
    changed();
  };
  const shape = settingFields(problemSettings, edit);
  const choice = settingField(rateChoice, edit);
  const rates = settingFields(rateSettings, edit);
  const rateFields = h(
    'fieldset',
    { class: 'plain' },
    h('legend', {}, 'Learning rate of each method'),
    h('div', { class: 'fields' }, ...rates.elements),
  );
  const element = h(
    'div',
    { class: 'stack' },
    h('div', { class: 'fields roomy' }, ...shape.elements, choice.element),
    rateFields,
  );
  return {
    element,
    show() {
      shape.show(settings);
      choice.show(settings);
      rates.show(settings);
      rateFields.disabled = settings.best_of_grid;
    },
  };
}
