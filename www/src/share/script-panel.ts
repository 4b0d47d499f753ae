import './script-panel.css';
import { h, setText } from '../controls/dom';
import { saveFile } from './save-file';

interface ScriptPanel {
  /** Of the buttons' ids: `copy-script` and `save-script` where it is empty. */
  id: string;
  /** On the button that copies. */
  copy: string;
  file: string;
  /** What the script does, in words. */
  words: string;
  /** The script of now, or why there is none. */
  make(): { script: string } | { missing: string };
}

/** Buttons that copy and download a Python script, and the script to be read; `show` is for when it has changed. */
export function scriptPanel({ id, copy: copyWords, file, words, make }: ScriptPanel) {
  const told = h('span', { class: 'hint', role: 'status' });
  const shown = h('textarea', {
    class: 'script',
    readonly: true,
    rows: 12,
    spellcheck: 'false',
    'aria-label': 'The script',
  });
  const details = h('details', { class: 'script-frame' }, h('summary', {}, 'Read the script'), shown);
  const suffix = id === '' ? 'script' : `script-${id}`;
  const button = (name: string, label: string, use: (script: string) => void) => {
    const onclick = () => {
      const made = make();
      if ('missing' in made) return setText(told, made.missing);
      use(made.script);
    };
    return h('button', { type: 'button', id: `${name}-${suffix}`, onclick }, label);
  };
  const copy = button('copy', copyWords, async (script) => {
    try {
      await navigator.clipboard.writeText(script);
      setText(told, 'Copied.');
    } catch {
      // Without a permission there is still the user's own copying.
      details.open = true;
      shown.value = script;
      shown.select();
      setText(told, 'The browser does not let this page copy: copy the marked text yourself.');
    }
  });
  const save = button('save', 'Download .py', (script) => {
    saveFile(file, new Blob([script], { type: 'text/x-python' }));
    setText(told, `Saved as ${file}.`);
  });
  const show = () => {
    if (!details.open) return;
    const made = make();
    shown.value = 'script' in made ? made.script : made.missing;
  };
  details.addEventListener('toggle', show);
  return {
    elements: [h('p', { class: 'hint' }, words), h('div', { class: 'row' }, copy, save, told), details],
    show,
  };
}
