import './copy-button.css';
import { h, setText } from './dom';

const TOLD_MS = 2000;

/** Copies a text and says that it did, or why not. `what` is for those who do not see where the button is. */
export function copyButton(what: string, text: () => string): HTMLElement {
  // A live region would be left out of the button's name, so what happened is said in one of its own.
  const words = h('span', {}, 'Copy');
  const told = h('span', { class: 'unseen', 'aria-live': 'polite' });
  const say = (text: string) => {
    setText(words, text);
    setText(told, text);
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      say('Copied');
    } catch {
      say('Not allowed: select the text');
    }
    setTimeout(() => setText(words, 'Copy'), TOLD_MS);
  };
  const button = h(
    'button',
    { type: 'button', class: 'quiet copy', onclick: () => void copy() },
    words,
    h('span', { class: 'unseen' }, ` ${what}`),
  );
  return h('span', {}, button, told);
}
