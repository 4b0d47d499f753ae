import { h, setText } from '../../controls/dom';
import { dropZone } from '../../controls/drop-zone';
import type { App } from '../app';
import { DATA_FILES } from './data-files';
import { openFile } from './open-file';

/** A file of its own to validate on: chosen, shown and taken away again. */
export function validationFile(app: App): HTMLElement {
  const words = h('p', { class: 'hint', role: 'status', id: 'validation-words' });
  const without = h(
    'button',
    { type: 'button', id: 'no-validation-file', onclick: () => void app.chooseValidation(null) },
    'Hold out a part of the data instead',
  );
  const opening = openFile('Reading a validation file');
  const details = h(
    'details',
    { class: 'elsewhere', id: 'validation-file' },
    h('summary', {}, 'Validation file'),
    words,
    dropZone({
      what: 'a validation file',
      pick: (files) => files.slice(0, 1),
      why: 'One file is measured on; put several into one.',
      words: 'Drop what the runs are only measured on. It is read as the data is.',
      choose: 'Choose a validation file',
      accept: DATA_FILES,
      folder: false,
      onFiles: ([file]) => {
        if (file === undefined) return;
        opening.open({ blob: file, name: file.name }, (source) => void app.chooseValidation(source));
      },
    }),
    opening.element,
    h('div', { class: 'row' }, without),
  );
  app.validationSource.watch((source) => {
    without.hidden = source === null;
    setText(
      words,
      source === null
        ? 'Validation examples are a part of the data.'
        : `Measured on ${source.name}; all of the data is trained on.`,
    );
    if (source !== null) details.open = true;
  });
  return details;
}
