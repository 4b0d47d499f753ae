import '../../experiment/offers.css';
import './data.css';
import { fill, h, setText } from '../../controls/dom';
import { dropZone } from '../../controls/drop-zone';
import { factList } from '../../controls/facts';
import { textField } from '../../controls/field';
import { failureBox } from '../../controls/message';
import { progressBar } from '../../controls/progress';
import type { DataSource } from '../../lab/language';
import { readyValue } from '../../lab/loadable';
import type { App } from '../app';
import { arrivalNotice } from '../arrival-notice';
import { examplePreview } from '../tokens/preview';
import { dataAddress } from './address-panel';
import { bundledData } from './bundled-data';
import { columnMap } from './column-map';
import { cutNotice } from './cut-notice';
import { factsOf } from './data-facts';
import { dataFields } from './data-fields';
import { DATA_FILES } from './data-files';
import { lengthHistogram } from './histogram';
import { hubDataPanel } from './hub-data-panel';
import { leftOut } from './left-out';
import { openFile } from './open-file';
import { validationFile } from './validation-file';

/** Where the text comes from, how it is read, and what became of it. */
export function dataPanel(app: App): HTMLElement[] {
  const { lab } = app;
  const problem = failureBox();
  const progress = progressBar('Reading the data', () => lab.cancelLoading());
  const facts = factList('The data that was read');
  const left = h('div', { class: 'stack', id: 'left-out', role: 'status' });
  const lengths = lengthHistogram();
  const preview = examplePreview();
  const waiting = h('p', { class: 'hint', role: 'status' });
  const reread = h(
    'button',
    { type: 'button', id: 'read-data', onclick: () => void app.readData() },
    'Read again',
  );

  const opening = openFile('Reading a file');
  const take = (file: DataSource) => opening.open(file, (source) => void app.chooseData(source));
  const takeBundled = async () => {
    const source = await bundledData();
    if (source.ok) void app.chooseData(source.value);
    else problem.show(source.failure);
  };
  let pasted = '';
  const paste = textField({
    label: 'Paste text',
    help: 'A pair a line as prompt||completion, JSON lines, CSV with a header, or plain text.',
    rows: 4,
    onInput: (value) => {
      pasted = value;
    },
  });
  const usePasted = () => take({ blob: new Blob([pasted]), name: 'pasted.txt' });
  const chooser = h(
    'details',
    { class: 'chooser', open: true },
    h('summary', {}, 'Choose data'),
    h(
      'div',
      { class: 'offer' },
      h(
        'p',
        {},
        h('strong', {}, 'WordNet definitions'),
        h('br'),
        'Words and what they mean, as prompt and completion',
      ),
      h(
        'button',
        { type: 'button', class: 'primary', id: 'use-bundled', onclick: () => void takeBundled() },
        'Use',
      ),
    ),
    dropZone({
      what: 'data',
      pick: (files) => files.slice(0, 1),
      why: 'One file is read at a time; put several into one.',
      words: 'Or drop text, prompt||completion lines, JSON, a table or a parquet file.',
      choose: 'Choose a file',
      accept: DATA_FILES,
      folder: false,
      onFiles: ([file]) => file !== undefined && take({ blob: file, name: file.name }),
    }),
    h(
      'details',
      { class: 'paste' },
      h('summary', {}, 'Or paste it'),
      paste.element,
      h('button', { type: 'button', onclick: usePasted }, 'Use this text'),
    ),
    opening.element,
    ...hubDataPanel(
      (source) => void app.chooseData(source),
      (source) => void app.chooseValidation(source),
    ),
    ...dataAddress(take),
  );
  const fields = dataFields(app);
  const validation = validationFile(app);
  const options = h(
    'details',
    { class: 'options' },
    h('summary', {}, 'How it is read'),
    fields,
    columnMap(app),
    reread,
  );

  const show = () => {
    const state = lab.data.value;
    progress.show(state.status === 'loading' ? state.progress : null);
    problem.show(state.status === 'failed' ? state.failure : null);
    const summary = readyValue(state);
    facts.element.hidden = summary === undefined;
    preview.element.hidden = summary === undefined;
    lengths.element.hidden = summary === undefined;
    left.hidden = summary === undefined;
    if (summary !== undefined) {
      const validation = app.validationSource.value?.name ?? null;
      facts.show(factsOf(summary, app.dataSource.value?.name ?? '', validation));
      fill(left, ...leftOut(summary.statistics));
      lengths.show(summary.statistics.lengths);
      preview.show(summary.preview, summary.added_by_template);
      chooser.open = false;
    }
  };
  const showWaiting = () => {
    const source = app.dataSource.value;
    reread.hidden = source === null;
    reread.classList.toggle('primary', app.dataStale.value);
    if (source !== null && lab.model.value.status !== 'ready') {
      setText(waiting, `${source.name} is read as soon as there is a model: its tokenizer makes the tokens.`);
    } else {
      setText(waiting, app.dataStale.value ? 'Settings changed: the data is read again at Start.' : '');
    }
    waiting.hidden = waiting.textContent === '';
  };
  lab.data.watch(show);
  lab.model.watch(showWaiting);
  app.dataSource.watch(showWaiting);
  app.dataStale.watch(showWaiting);
  lab.phase.watch(() => {
    chooser.toggleAttribute('inert', app.locked);
    options.toggleAttribute('inert', app.locked);
    validation.toggleAttribute('inert', app.locked);
  });
  const host = h('div', { class: 'stack' });
  fill(
    host,
    facts.element,
    cutNotice(app),
    left,
    progress.element,
    problem.element,
    waiting,
    arrivalNotice(app, 'data'),
    chooser,
    validation,
    options,
    lengths.element,
    preview.element,
  );
  return [host];
}
