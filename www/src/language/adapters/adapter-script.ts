import { h, setText } from '../../controls/dom';
import { readyValue } from '../../lab/loadable';
import { UNKNOWN_BASE } from '../../share/base-id';
import { peftScript } from '../../share/peft-script';
import { saveFile } from '../../share/save-file';
import type { Signal } from '../../signal';
import type { App } from '../app';

/** The experiment as a Python script. */
export function adapterScript(app: App, base: Signal<string>): HTMLElement[] {
  const told = h('span', { class: 'hint', role: 'status' });
  const shown = h('textarea', {
    class: 'script',
    readonly: true,
    rows: 12,
    spellcheck: 'false',
    'aria-label': 'The script',
  });
  const details = h('details', { class: 'script-frame' }, h('summary', {}, 'Read the script'), shown);
  const script = () => {
    const data = readyValue(app.lab.data.value);
    const config = structuredClone(app.config.value);
    config.data.format ??= data?.detected.format ?? null;
    return peftScript({
      config,
      base: base.value || UNKNOWN_BASE,
      architecture: readyValue(app.lab.model.value)?.architecture ?? 'llama',
      data: app.dataSource.value ?? { name: '' },
      validation: app.validationSource.value,
    });
  };
  const copy = h('button', { type: 'button', id: 'copy-script' }, 'Copy as PEFT script');
  copy.addEventListener('click', async () => {
    const text = script();
    try {
      await navigator.clipboard.writeText(text);
      setText(told, 'Copied.');
    } catch {
      // Without a permission there is still the user's own copying.
      details.open = true;
      shown.value = text;
      shown.select();
      setText(told, 'The browser does not let this page copy: copy the marked text yourself.');
    }
  });
  const save = h('button', { type: 'button', id: 'save-script' }, 'Download .py');
  save.addEventListener('click', () => {
    saveFile('experiment.py', new Blob([script()], { type: 'text/x-python' }));
    setText(told, 'Saved as experiment.py.');
  });
  const show = () => {
    if (details.open) shown.value = script();
  };
  details.addEventListener('toggle', show);
  app.config.subscribe(show);
  base.subscribe(show);
  const words =
    'The same base, layers, steps, schedules and runs with transformers, PEFT and Accelerate. A method that PEFT does not have is named and skipped.';
  return [h('p', { class: 'hint' }, words), h('div', { class: 'row' }, copy, save, told), details];
}
