import { methods as methodOrder } from '../config/methods';
import { presetName } from '../config/preset-name';
import { presetsOf } from '../config/presets';
import { h, setText } from '../controls/dom';
import { checkField, showProblems, textField } from '../controls/field';
import { settingField, settingFields } from '../controls/setting-field';
import { plural } from '../words/numbers';
import { hasQuantity, type SweepConfig, valuesOf } from './config';
import type { Grid } from './grid';
import { basisOf, basisWords } from './record';
import { sweepScriptPanel } from './script-panel';
import {
  gridSettings,
  lrSetting,
  seedsSetting,
  validationSetting,
  valuesSetting,
  variedSetting,
} from './settings';
import type { Sweep } from './sweep';

/** What is trained, by which methods, and at which values. */
export function sweepControls(sweep: Sweep): HTMLElement[] {
  const grid = gridFields(sweep);
  const methods = methodFields(sweep);
  const lock = () => {
    const { active } = sweep;
    grid.disabled = active;
    methods.disabled = active;
  };
  sweep.phase.watch(lock);
  const sections = [
    section('sweep-basis-title', 'What is trained', basisSummary(sweep)),
    section('sweep-methods-title', 'Methods', methods),
    section('sweep-grid-title', 'Values', grid),
    section('sweep-script-title', 'In Python', ...sweepScriptPanel(sweep)),
  ];
  sweep.problems.watch((problems) => {
    for (const one of sections) showProblems(one, problems);
  });
  return sections;
}

function section(id: string, title: string, ...content: HTMLElement[]): HTMLElement {
  return h('section', { 'aria-labelledby': id }, h('h2', { id }, title), ...content);
}

/** Model, data and settings of the Language tab, or what is missing there. */
function basisSummary(sweep: Sweep): HTMLElement {
  const { app } = sweep;
  const words = h('p', { id: 'sweep-basis' });
  const link = h('a', { href: '#language' });
  const show = () => {
    const basis = basisOf(app, sweep.config.value.quantity);
    const missing =
      app.lab.model.value.status === 'ready'
        ? 'No data is chosen.'
        : app.lab.data.value.status === 'none' && app.dataSource.value === null
          ? 'No model is loaded and no data is chosen.'
          : 'No model is loaded.';
    setText(words, basis === undefined ? missing : basisWords(basis));
    setText(link, basis === undefined ? 'Choose them in the Language tab' : 'Change in the Language tab');
  };
  for (const signal of [
    app.config,
    app.lab.model,
    app.lab.data,
    app.lab.startAdapter,
    app.dataSource,
    sweep.config,
  ]) {
    signal.subscribe(show);
  }
  show();
  const hint = h(
    'p',
    { class: 'hint' },
    'All runs of a sweep share these; its methods have the hyper-parameters of their presets. A sweep and a training of the Language tab exclude each other, because both need the engine.',
  );
  return h('div', { class: 'stack' }, words, h('p', {}, link), hint);
}

/** A box for each preset, with its lr where that is not what is varied. */
function methodFields(sweep: Sweep): HTMLFieldSetElement {
  const ids = methodOrder.flatMap((method) => presetsOf(method).map(({ id }) => id));
  const rows = ids.map((id) => {
    const name = presetName(id);
    const box = checkField(name, (on) =>
      sweep.change((config) => {
        const chosen = new Set(config.methods);
        if (on) chosen.add(id);
        else chosen.delete(id);
        config.methods = ids.filter((one) => chosen.has(one));
      }),
    );
    const lr = settingField(lrSetting(id), (change) => sweep.change(change));
    const none = h('span', { class: 'hint' }, 'no damping');
    const element = h(
      'li',
      { class: 'sweep-method' },
      h('div', { class: 'row' }, box.element, none),
      lr.element,
    );
    const show = () => {
      const { quantity, methods } = sweep.config.value;
      const usable = hasQuantity(id, quantity);
      box.show(methods.includes(id) && usable);
      box.input.disabled = !usable;
      none.hidden = usable;
      lr.element.hidden = quantity === 'lr' || !usable || !methods.includes(id);
      lr.show(sweep.config.value);
    };
    return { element, show };
  });
  sweep.config.watch(() => {
    for (const { show } of rows) show();
  });
  const problem = h('p', { class: 'problem', hidden: true });
  return h(
    'fieldset',
    { class: 'plain' },
    h('legend', { class: 'unseen' }, 'Methods'),
    h('ul', { class: 'sweep-methods' }, ...rows.map(({ element }) => element)),
    h('div', { 'data-field': 'sweep.methods' }, problem),
  );
}

/** What is varied, a grid that makes a list, and the list. */
function gridFields(sweep: Sweep): HTMLFieldSetElement {
  const editGrid = (edit: (grid: Grid) => void) =>
    sweep.change((config) => {
      const { quantity, grids, values } = config;
      edit(grids[quantity]);
      const made = valuesOf(grids, quantity);
      if (made !== '') values[quantity] = made;
    });
  const edit = (change: (config: SweepConfig) => void) => sweep.change(change);
  const varied = settingField(variedSetting, edit);
  // Fields are the same whatever is varied; what is right in them is checked elsewhere.
  const grid = settingFields(gridSettings('lr'), editGrid);
  const every = settingField(validationSetting, edit);
  const seeds = settingField(seedsSetting, edit);
  const { label, help, field, rows } = valuesSetting;
  const values = textField({
    label,
    help,
    field,
    rows,
    onInput: (text) =>
      edit((config) => {
        config.values[config.quantity] = text;
      }),
  });
  const count = h('p', { class: 'hint', id: 'sweep-count' });
  sweep.config.watch((config) => {
    varied.show(config);
    grid.show(config.grids[config.quantity]);
    values.show(config.values[config.quantity]);
    every.show(config);
    seeds.show(config);
  });
  sweep.measured.watch(() => {
    const [all, open] = [sweep.wanted.length, sweep.pending.length];
    const done = open < all ? `, ${all - open} of them trained` : '';
    setText(count, sweep.problems.value.size > 0 ? '' : `${plural(all, 'run')}${done}.`);
  });
  return h(
    'fieldset',
    { class: 'plain' },
    h('legend', { class: 'unseen' }, 'Values'),
    h('div', { class: 'fields' }, varied.element, ...grid.elements, seeds.element, every.element),
    values.element,
    count,
  );
}
