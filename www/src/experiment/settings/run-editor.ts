import '../../controls/message.css';
import './run-editor.css';
import { swatch } from '../../charts/run-style';
import type { RunConfig, SharedConfig } from '../../config/config';
import { matrixRate } from '../../config/matrix-rate';
import { methodNames, methodOf, methods } from '../../config/methods';
import { presetCalled, presetOf, presetsOf, settingsOf } from '../../config/presets';
import { runDetails, runLr, runName, runTextLr } from '../../config/run-settings';
import { warningAbout } from '../../config/warning';
import { fill, h, s, setText } from '../../controls/dom';
import { choiceField } from '../../controls/field';
import { settingField, settingFields } from '../../controls/setting-field';
import type { Method, Preset } from '../../protocol';
import { setting } from '../../words/numbers';

/** What an editor does with its run. */
export interface RunActions {
  index: number;
  textEncoder: boolean;
  /** `steps` are those of the training. */
  edit(change: (run: RunConfig, steps: number) => void): void;
  duplicate(): void;
  remove(): void;
}

/** One line of the table of runs. */
export interface RunEditor {
  element: HTMLElement;
  /** `session` is what all runs share. */
  show(run: RunConfig, session: SharedConfig['session']): void;
  focus(): void;
}

export function runEditor(actions: RunActions): RunEditor {
  const { index, textEncoder, edit } = actions;
  const look = h('span', {});
  const prefix = `runs.${index}.`;
  const name = settingField(runName, edit, prefix);
  const method = choiceField<Method>({
    label: 'Optimizer',
    help: 'How gradients become updates: scaled ones and AltLoRA first multiply those of lora_a and lora_b by (BᵀB + δI)⁻¹ and (AAᵀ + δI)⁻¹, and LoRA-Muon makes them orthogonal in this metric.',
    choices: methods.map((one) => [one, methodNames[one]] as const),
    onInput: (value) =>
      edit((run, steps) => {
        const named = run.name.replace(/ \d+$/, '') === methodNames[methodOf(run.optimizer)];
        choose(run, presetsOf(value)[0], steps);
        if (named) run.name = methodNames[value];
      }),
  });
  const preset = choiceField<string>({
    label: 'Preset',
    help: 'Hyper-parameters that are known to behave together; changing one of them makes it “own”.',
    choices: [],
    onInput: (id) => edit((run, steps) => choose(run, presetCalled(id), steps)),
  });
  const presetSelect = preset.element.querySelector('select');
  const lr = settingField(runLr, edit, prefix);
  const textLr = settingField(runTextLr, edit, prefix);
  const details = settingFields(runDetails, edit, prefix);
  const about = h('p', { class: 'hint' });
  const matrix = h('p', { class: 'hint matrix-rate' });
  const warning = h('p', { class: 'message warn', role: 'status', hidden: true });
  const action = (label: string, path: string, onclick: () => void) => {
    const words = h('span', { class: 'unseen' });
    const button = h(
      'button',
      { type: 'button', class: 'icon', onclick },
      s('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, s('path', { d: path })),
      words,
    );
    return { button, name: (run: string) => setText(words, `${label} ${run}`), title: label };
  };
  const duplicate = action('Duplicate', 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z', actions.duplicate);
  const remove = action('Remove', 'M3.5 3.5l9 9M12.5 3.5l-9 9', actions.remove);
  duplicate.button.title = duplicate.title;
  remove.button.title = remove.title;

  const element = h(
    'li',
    { class: 'run' },
    h('div', { class: 'run-head' }, look, name.element, duplicate.button, remove.button),
    h(
      'div',
      { class: `run-fields ${textEncoder ? 'with-text' : ''}` },
      method.element,
      preset.element,
      lr.element,
      textEncoder && textLr.element,
    ),
    about,
    matrix,
    warning,
    h(
      'details',
      { class: 'more' },
      h('summary', {}, 'More'),
      h('div', { class: 'fields narrow' }, ...details.elements),
    ),
  );

  const showPresets = (run: RunConfig, steps: number) => {
    const current = presetOf(run.optimizer, steps);
    const choices = presetsOf(methodOf(run.optimizer));
    if (presetSelect === null) return;
    fill(
      presetSelect,
      ...choices.map(({ id, name: words }) => h('option', { value: id }, words)),
      current === undefined && h('option', { value: 'own' }, 'Own'),
    );
    preset.show(current?.id ?? 'own');
    setText(about, current?.about ?? 'Your own hyper-parameters.');
  };
  let style = -1;
  return {
    element,
    focus: () => name.element.querySelector('input')?.focus(),
    show(run, session) {
      if (run.style !== style) fill(look, swatch(run.style));
      style = run.style;
      name.show(run);
      method.show(methodOf(run.optimizer));
      showPresets(run, session.steps);
      const rate = Number(matrixRate(run.optimizer.lr, session).toPrecision(3));
      setText(matrix, Number.isFinite(rate) ? `lr · s² = ${setting(rate)}` : '');
      lr.show(run);
      textLr.show(run);
      details.show(run);
      const words = warningAbout(run.optimizer);
      setText(warning, words);
      warning.hidden = words === '';
      duplicate.name(run.name);
      remove.name(run.name);
    },
  };
}

/** Puts a preset in the place of all that the run had. */
function choose(run: RunConfig, preset: Preset | undefined, steps: number): void {
  if (preset !== undefined) run.optimizer = settingsOf(preset, steps);
}
