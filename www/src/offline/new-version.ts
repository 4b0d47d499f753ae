import './new-version.css';
import { h } from '../controls/dom';

/** Says that another build of the page is ready. */
export function newVersion() {
  const reload = h('button', { type: 'button', id: 'reload', onclick: () => location.reload() }, 'Reload');
  const words = h('p', {});
  const element = h('div', { class: 'new-version', role: 'status', hidden: true }, words, reload);
  return {
    element,
    show() {
      element.hidden = false;
      words.textContent = 'A new version of this page is ready: reload to use it.';
    },
  };
}
