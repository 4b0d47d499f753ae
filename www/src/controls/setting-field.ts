import { enter, type Setting, shownOf } from '../config/setting';
import {
  choiceField,
  type Field,
  numberField,
  showWhere,
  sliderField,
  switchField,
  textField,
} from './field';

/** The field of a setting. */
export interface SettingField<Root> {
  element: HTMLElement;
  /** Shows what is set, and hides what does not matter. */
  show(root: Root): void;
}

/** Changes what the settings belong to. */
export type Edit<Root> = (change: (root: Root) => void) => void;

/** The field that a setting describes. `prefix` stands before its name. */
export function settingField<Root extends object>(
  setting: Setting<Root>,
  edit: Edit<Root>,
  prefix = '',
): SettingField<Root> {
  const field = fieldOf(setting, (shown) => edit((root) => enter(setting, root, shown)), prefix);
  return {
    element: field.element,
    show(root) {
      if (setting.matters !== undefined) showWhere(field, setting.matters(root));
      field.show(shownOf(setting, root));
    },
  };
}

/** Fields of several settings, in their order. */
export function settingFields<Root extends object>(
  settings: readonly Setting<Root>[],
  edit: Edit<Root>,
  prefix = '',
) {
  const fields = settings.map((setting) => settingField(setting, edit, prefix));
  return {
    elements: fields.map(({ element }) => element),
    show(root: Root) {
      for (const field of fields) field.show(root);
    },
  };
}

function fieldOf<Root>(
  setting: Setting<Root>,
  onInput: (shown: unknown) => void,
  prefix: string,
): Field<unknown> {
  const { label, help } = setting;
  const framed = { label, help, field: prefix + setting.field, class: setting.class ?? '', onInput };
  switch (setting.kind) {
    case 'number': {
      const { empty, slider, unit } = setting;
      const blank = empty === undefined ? {} : { placeholder: empty, onEmpty: () => onInput(null) };
      const options = { ...framed, ...blank, unit };
      const field = slider === undefined ? numberField(options) : sliderField({ ...options, ...slider });
      return { ...field, show: (value) => field.show(typeof value === 'number' ? value : null) };
    }
    case 'choice': {
      const field = choiceField<string>({ ...framed, choices: setting.choices });
      // What does not exist now shows what it would be.
      const otherwise = setting.choices[0]?.[0] ?? '';
      return { ...field, show: (value) => field.show(typeof value === 'string' ? value : otherwise) };
    }
    case 'switch': {
      const field = switchField(framed);
      return { ...field, show: (value) => field.show(value === true) };
    }
    case 'text': {
      const { rows, empty } = setting;
      const more = {
        ...(rows === undefined ? {} : { rows }),
        ...(empty === undefined ? {} : { placeholder: empty }),
      };
      const field = textField({ ...framed, ...more });
      return { ...field, show: (value) => field.show(typeof value === 'string' ? value : '') };
    }
  }
}
