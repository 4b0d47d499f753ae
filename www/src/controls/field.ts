import './field.css';
import type { Problems } from '../config/problems';
import { setting } from '../words/numbers';
import { readNumber } from '../words/read-number';
import { freshId, h, setText } from './dom';

/** What every field has: a name, one sentence of explanation, and the name that failures use for it. */
export interface FieldOptions {
  label: string;
  help: string;
  /** What it is counted in. */
  unit?: string | undefined;
  /** As in `Failure.field`. */
  field?: string;
  class?: string;
}

/** A field on the page. */
export interface Field<Value> {
  element: HTMLElement;
  /** Shows `value`, unless the user is typing here. */
  show(value: Value): void;
}

/** Label, explanation behind a question mark, control, and a place for what is wrong with it. */
function frame(options: FieldOptions, control: HTMLElement, extra: HTMLElement | null = null): HTMLElement {
  const id = freshId('field');
  const { unit } = options;
  const help = h('p', { class: 'help', id: `${id}-help`, hidden: true }, options.help);
  const problem = h('p', { class: 'problem', id: `${id}-problem`, hidden: true });
  control.id = id;
  control.setAttribute('aria-describedby', help.id);
  control.dataset.help = help.id;
  return h(
    'div',
    { class: `field ${options.class ?? ''}`, 'data-field': options.field },
    h(
      'div',
      { class: 'field-name' },
      h('label', { for: id }, options.label, ...(unit === undefined ? [] : [unseen(`, ${unit}`)])),
      helpButton(options.label, help),
    ),
    control,
    // What is read with the label is seen in the field.
    ...(unit === undefined ? [] : [h('span', { class: 'unit', 'aria-hidden': 'true' }, unit)]),
    extra,
    problem,
    help,
  );
}

function unseen(words: string): HTMLElement {
  return h('span', { class: 'unseen' }, words);
}

/** The question mark that opens an explanation. */
export function helpButton(label: string, help: HTMLElement): HTMLButtonElement {
  const button = h(
    'button',
    { type: 'button', class: 'help-button', 'aria-expanded': 'false', 'aria-controls': help.id },
    h('span', { 'aria-hidden': 'true' }, '?'),
    unseen(`What is ${label}?`),
  );
  button.addEventListener('click', () => {
    help.hidden = !help.hidden;
    button.setAttribute('aria-expanded', String(!help.hidden));
  });
  return button;
}

interface NumberOptions extends FieldOptions {
  /** NaN where the field is empty, or holds no number: then it says so itself. */
  onInput(value: number): void;
  /** Where an empty field means something, that instead. */
  onEmpty?(): void;
  /** What stands in an empty field. */
  placeholder?: string;
}

// A number as text: browsers' own number fields fight with `1e-3`.
function numberInput({ placeholder, onInput, onEmpty }: NumberOptions) {
  const take = () => {
    const { value, problem } = readNumber(element.value);
    sayUnread(element, problem);
    if (value === null && onEmpty !== undefined) onEmpty();
    else onInput(value ?? Number.NaN);
  };
  const element = h('input', {
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    spellcheck: 'false',
    class: 'number',
    placeholder,
    oninput: take,
    // As it was understood: `1,000` is a thousand here.
    onchange: () => {
      const { value, problem } = readNumber(element.value);
      if (problem === '') write(value);
    },
  });
  const write = (value: number | null) => {
    element.value = setting(value);
    // A number of many figures may be wider than its field.
    element.title = element.value;
  };
  const show = (value: number | null) => {
    if (document.activeElement === element) return;
    // What is no number is neither shown as one nor thrown away.
    const unread = element.closest<HTMLElement>('.field')?.dataset.unread;
    if (unread !== undefined && Number.isNaN(value)) return;
    sayUnread(element, '');
    write(value);
  };
  return { element, show };
}

/** A number. */
export function numberField(options: NumberOptions): Field<number | null> {
  const input = numberInput(options);
  return { element: frame(options, input.element), show: input.show };
}

interface SliderOptions extends NumberOptions {
  low: number;
  high: number;
  /** Equal ratios instead of equal steps. */
  log: boolean;
}

// Places of a slider; keys move it by one.
const PLACES = 60;

/** A number with a slider below it. What is typed may lie outside of the slider's range. */
export function sliderField(options: SliderOptions): Field<number | null> {
  const { low, high, log } = options;
  const placeOf = (value: number) =>
    log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const valueAt = (place: number) => (log ? low * (high / low) ** place : low + (high - low) * place);
  const slider = h('input', {
    type: 'range',
    min: 0,
    max: log ? PLACES : high - low,
    step: 1,
    'aria-label': `${options.label}, slider`,
    oninput: () => {
      const place = Number(slider.value) / (log ? PLACES : high - low);
      const value = log ? Number(valueAt(place).toPrecision(2)) : Math.round(valueAt(place));
      slider.setAttribute('aria-valuetext', setting(value));
      input.show(value);
      options.onInput(value);
    },
  });
  const onInput = (value: number) => {
    follow(value);
    options.onInput(value);
  };
  const input = numberInput({ ...options, onInput });
  const follow = (value: number | null) => {
    if (value === null || !Number.isFinite(value)) return;
    const place = placeOf(Math.min(high, Math.max(low, value)));
    slider.value = String(Math.round(place * (log ? PLACES : high - low)));
    slider.setAttribute('aria-valuetext', setting(value));
  };
  return {
    element: frame(options, input.element, slider),
    show: (value) => {
      input.show(value);
      if (document.activeElement !== slider) follow(value);
    },
  };
}

interface TextOptions extends FieldOptions {
  onInput(value: string): void;
  onEnter?(): void;
  rows?: number;
  placeholder?: string;
}

/** A line of text, or several with `rows`. */
export function textField(options: TextOptions): Field<string> {
  const attributes = {
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: options.placeholder,
    oninput: () => options.onInput(input.value),
    onkeydown: ({ key }: KeyboardEvent) => {
      if (key === 'Enter') options.onEnter?.();
    },
  };
  const input: HTMLInputElement | HTMLTextAreaElement =
    options.rows === undefined
      ? h('input', { type: 'text', ...attributes })
      : h('textarea', { rows: options.rows, ...attributes });
  return {
    element: frame(options, input),
    show: (value) => {
      if (document.activeElement !== input) input.value = value;
    },
  };
}

interface ChoiceOptions<Value extends string> extends FieldOptions {
  choices: readonly (readonly [Value, string])[];
  onInput(value: Value): void;
}

/** One of a few. */
export function choiceField<Value extends string>(options: ChoiceOptions<Value>): Field<Value> {
  const select = h(
    'select',
    { onchange: () => options.onInput(select.value as Value) },
    ...options.choices.map(([value, label]) => h('option', { value }, label)),
  );
  return {
    element: frame(options, select),
    show: (value) => {
      select.value = value;
    },
  };
}

interface SwitchOptions extends FieldOptions {
  onInput(value: boolean): void;
}

/** Yes or no, framed as the other fields are. */
export function switchField(options: SwitchOptions): Field<boolean> {
  const input = h('input', { type: 'checkbox', onchange: () => options.onInput(input.checked) });
  return {
    element: frame(options, input),
    show: (value) => {
      input.checked = value;
    },
  };
}

/** Hides a field that does not matter, but none that has a problem: the user has to find what is wrong. */
export function showWhere(field: { element: HTMLElement }, matters: boolean): void {
  const problem = field.element.querySelector<HTMLElement>('.problem');
  field.element.hidden = !matters && (problem === null || problem.hidden);
}

/** Yes or no, with its label behind it. */
export function checkField(label: string, onInput: (value: boolean) => void, id = freshId('check')) {
  const input = h('input', { type: 'checkbox', id, onchange: () => onInput(input.checked) });
  const element = h('span', { class: 'check' }, input, h('label', { for: id }, label));
  return {
    element,
    input,
    show: (value: boolean) => {
      input.checked = value;
    },
  };
}

/** Shows at each field below `root` what is wrong with it; answers how many fields are wrong. */
export function showProblems(root: ParentNode, problems: Problems): number {
  let shown = 0;
  for (const field of root.querySelectorAll<HTMLElement>('[data-field]')) {
    field.dataset.known = problems.get(field.dataset.field ?? '') ?? '';
    if (showProblem(field)) shown += 1;
  }
  return shown;
}

/** Shows at one field what is wrong with it, with its text or with its value, or that nothing is; answers whether something is. */
function showProblem(field: HTMLElement): boolean {
  const message = [field.dataset.unread, field.dataset.known].filter(Boolean).join(' ');
  const problem = field.querySelector<HTMLElement>('.problem');
  const control = field.querySelector<HTMLElement>('[data-help]') ?? field;
  if (problem === null) return false;
  if (message !== '' && problem.hidden) reveal(field);
  setText(problem, message);
  problem.hidden = message === '';
  if (message === '') control.removeAttribute('aria-invalid');
  else control.setAttribute('aria-invalid', 'true');
  const described = [message === '' ? '' : problem.id, control.dataset.help].filter(Boolean).join(' ');
  if (described !== '') control.setAttribute('aria-describedby', described);
  return message !== '';
}

/** Says at a field that what was typed is no number, before anyone knows what that means for the settings. */
function sayUnread(input: HTMLElement, problem: string): void {
  const field = input.closest<HTMLElement>('.field');
  if (field === null || (field.dataset.unread ?? '') === problem) return;
  if (problem === '') delete field.dataset.unread;
  else field.dataset.unread = problem;
  showProblem(field);
}

/** Puts a field in sight, once: what the user closes afterwards stays closed. */
function reveal(field: HTMLElement): void {
  field.hidden = false;
  const details = field.closest('details');
  if (details !== null) details.open = true;
}
