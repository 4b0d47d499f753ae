import './field-with-button.css';
import { h } from './dom';
import { type FieldOptions, textField } from './field';

interface FieldWithButtonOptions extends FieldOptions {
  placeholder: string;
  button: { id: string; words: string };
  /** What the button and Enter do with the text. */
  onAct(text: string): void;
}

/** A line of text with a button that acts on it, as Enter does. */
export function fieldWithButton({ button, onAct, ...options }: FieldWithButtonOptions): HTMLElement {
  let text = '';
  const act = () => onAct(text);
  const onInput = (value: string) => {
    text = value;
  };
  const field = textField({ ...options, onInput, onEnter: act });
  const { id, words } = button;
  return h(
    'div',
    { class: 'with-button' },
    field.element,
    h('button', { type: 'button', id, onclick: act }, words),
  );
}
