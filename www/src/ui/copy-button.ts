import { h, setText } from './dom';

const TOLD_MS = 2000;

/** Copies a text and says that it did, or why not. `what` is for those who do not see where the button is. */
export function copyButton(what: string, text: () => string): HTMLButtonElement {
  const words = h('span', { role: 'status' }, 'Copy');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setText(words, 'Copied');
    } catch {
      setText(words, 'Not allowed: select the text');
    }
    setTimeout(() => setText(words, 'Copy'), TOLD_MS);
  };
  return h(
    'button',
    { type: 'button', class: 'quiet copy', onclick: () => void copy() },
    words,
    h('span', { class: 'unseen' }, ` ${what}`),
  );
}
