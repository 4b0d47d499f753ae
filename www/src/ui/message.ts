import type { Failure } from '../protocol';
import { h, setText } from './dom';

/** A place where a failure is told, at once and to screen readers too. */
export function failureBox() {
  const words = h('p', {});
  const element = h('div', { class: 'message bad', role: 'alert', hidden: true }, words);
  return {
    element,
    show(failure: Failure | null) {
      element.hidden = failure === null;
      setText(words, failure?.message ?? '');
    },
  };
}

/** A place for something the user should know. */
export function noticeBox() {
  const words = h('p', {});
  const element = h('div', { class: 'message warn', role: 'status', hidden: true }, words);
  return {
    element,
    show(text: string) {
      element.hidden = text === '';
      setText(words, text);
    },
  };
}
