import './progress.css';
import type { Progress } from '../protocol';
import { bytes, count } from '../words/numbers';
import { freshId, h, setText } from './dom';

/** A bar with words and a way to cancel. */
export function progressBar(name: string, onCancel: () => void) {
  const id = freshId('progress');
  const words = h('span', { id, class: 'progress-words' });
  const bar = h('progress', { 'aria-label': name });
  const cancel = h('button', { type: 'button', class: 'quiet', onclick: onCancel }, 'Cancel');
  const element = h('div', { class: 'progress', hidden: true }, words, bar, cancel);
  const show = (progress: Progress | null) => {
    element.hidden = progress === null;
    if (progress === null) return;
    const { action, done, total } = progress;
    if (total > 0) {
      bar.max = total;
      bar.value = Math.min(done, total);
    } else bar.removeAttribute('value');
    setText(words, total > 0 ? `${action}: ${amount(done, total)}` : `${action}…`);
  };
  return { element, show };
}

/** Large totals are bytes, everything else is counted. */
function amount(done: number, total: number): string {
  return total > 1e5 ? `${bytes(done)} of ${bytes(total)}` : `${count(done)} of ${count(total)}`;
}
