import './save.css';
import { h } from '../controls/dom';
import { failurePlace } from '../controls/message';
import { wordsOf } from '../result';
import { saveFile } from './save-file';

/** A form in which something can be saved. */
export interface TextForm {
  /** On the button. */
  form: string;
  file: string;
  type: string;
  /** Null where there is nothing to save. */
  make(): Promise<string | null>;
}

/** Buttons that save `what`, one a form; `words` stand before them. */
export function saveText(what: string, words: string, forms: readonly TextForm[]) {
  const failure = failurePlace();
  const save = async ({ file, type, make }: TextForm) => {
    try {
      const text = await make();
      if (text !== null) saveFile(file, new Blob([text], { type }));
      failure.show(null);
    } catch (thrown) {
      const others = forms.length > 1 ? ', or save the other form' : '';
      const message = `${file} was not made: ${wordsOf(thrown)}. Try again${others}.`;
      failure.show({ place: 'save', field: null, message });
    }
  };
  const buttons = forms.map((form) => {
    const label = `Save ${what} as ${form.form}`;
    const onclick = () => void save(form);
    return h('button', { type: 'button', class: 'quiet small', 'aria-label': label, onclick }, form.form);
  });
  const hint = h('span', { class: 'hint', 'aria-hidden': 'true' }, words);
  const group = h('div', { class: 'save', role: 'group', 'aria-label': `Save ${what}` }, hint, ...buttons);
  return h('div', { class: 'save-frame' }, group, failure.element);
}
