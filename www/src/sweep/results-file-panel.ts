import { h, setText } from '../controls/dom';
import { fileButton } from '../controls/file-button';
import { failurePlace } from '../controls/message';
import { saveText } from '../share/save-text';
import { plural } from '../words/numbers';
import { saveResults } from './results-file';
import type { Sweep } from './sweep';

/** Results out of the page and into it, those of exported scripts among them. */
export function resultsFilePanel(sweep: Sweep): HTMLElement[] {
  const status = h('p', { class: 'status', id: 'sweep-opened', role: 'status' });
  const failure = failurePlace();
  const open = async (files: readonly File[]) => {
    setText(status, '');
    failure.show(null);
    for (const file of files) {
      const opened = await sweep.openResults(file);
      if (!opened.ok) return failure.show(opened.failure);
      const { added, sweep: record } = opened.value;
      const all = plural(record.results.length, 'result');
      setText(status, `${file.name}: ${all}, ${added === 0 ? 'none of them' : added} new here.`);
    }
  };
  const button = fileButton(
    'Open results',
    { accept: '.json', id: 'sweep-open' },
    (files) => void open(files),
  );
  const save = saveText('the results of the sweep', 'Save results', [
    {
      form: 'JSON',
      file: 'sweep-results.json',
      type: 'application/json',
      make: async () => (sweep.shown.value === null ? null : saveResults(sweep.shown.value)),
    },
  ]);
  sweep.shown.watch((record) => {
    save.hidden = record === null || record.results.length === 0;
  });
  return [h('div', { class: 'row' }, ...button, save, status), failure.element];
}
