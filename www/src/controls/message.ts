import './message.css';
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

/** A place in which there is a failure only while there is one to tell. */
export function failurePlace() {
  const box = failureBox();
  const element = h('div', { hidden: true });
  return {
    element,
    show(failure: Failure | null) {
      element.hidden = failure === null;
      element.replaceChildren(...(failure === null ? [] : [box.element]));
      box.show(failure);
    },
  };
}

/** The same for something that the user should know. */
export function noticePlace() {
  const box = noticeBox();
  const element = h('div', { hidden: true });
  return {
    element,
    show(text: string) {
      element.hidden = text === '';
      element.replaceChildren(...(text === '' ? [] : [box.element]));
      box.show(text);
    },
  };
}
