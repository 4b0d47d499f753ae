import '../../experiment/offers.css';
import { fill, h } from '../../controls/dom';
import { dropZone } from '../../controls/drop-zone';
import { modelFiles } from '../../controls/dropped';
import { factList } from '../../controls/facts';
import { failureBox, noticeBox } from '../../controls/message';
import { progressBar } from '../../controls/progress';
import { readyValue } from '../../lab/loadable';
import type { ModelSummary, Progress } from '../../protocol';
import { type CatalogModel, readCatalog } from '../../store/catalog';
import { fetchModel, keptOf } from '../../store/download';
import { freed } from '../../store/usage';
import { bytes, count, large } from '../../words/numbers';
import type { App } from '../app';
import { arrivalNotice } from '../arrival-notice';
import { modelNameOf, nameModel } from './model-names';
import { remoteModels } from './remote-models';
import { TINY, tinyModel } from './tiny-model';

/** Where the base comes from, and what it is. */
export function modelPanel(app: App): HTMLElement[] {
  const { lab } = app;
  let download: AbortController | null = null;
  const problem = failureBox();
  const notice = noticeBox();
  const progress = progressBar('Loading the model', () => {
    download?.abort();
    lab.cancelLoading();
  });
  // As high as a model, so that nothing moves when there is one.
  const asking = h('p', {}, 'Asking what this site serves …', h('br'), '\u00a0');
  const offered = h('div', { class: 'offered' }, h('div', { class: 'offer' }, asking));
  const facts = factList('The loaded model');
  const notices = h('ul', { class: 'model-notices', 'aria-label': 'What is to know of the loaded model' });
  const load = (files: readonly File[], name = '', note = '') => {
    notice.show(note);
    if (name !== '') nameModel(files, name);
    app.loadModel(modelFiles(files), name || (files[0]?.name ?? 'The model'));
  };
  const remote = remoteModels(app, load);
  const chooser = h(
    'details',
    { class: 'chooser', open: true },
    h('summary', {}, 'Choose a model'),
    tinyOffer(async () => {
      const files = await tinyModel();
      if (files.ok) load(files.value, TINY.name);
      else problem.show(files.failure);
    }),
    offered,
    remote.kept,
    dropZone({
      what: 'a model',
      pick: modelFiles,
      why: 'A model is a GGUF file or all parts of one, or the files of a folder that are named here.',
      words:
        'Or drop a GGUF file (or all its parts), or a folder with config.json, model.safetensors and tokenizer.json.',
      choose: 'Choose files',
      accept: '.gguf,.safetensors,.json,.jinja',
      folder: true,
      onFiles: (files) => load(files),
    }),
    ...remote.elsewhere,
  );

  const fetchAndLoad = async (model: CatalogModel) => {
    if (download !== null || lab.model.value.status === 'loading') return;
    download = new AbortController();
    problem.show(null);
    const show = (state: Progress) => progress.show(state);
    show({ action: 'Asking', done: 0, total: 0 });
    const fetched = await fetchModel(model, show, download.signal);
    download = null;
    progress.show(null);
    if (fetched.ok) load(fetched.value.files, model.name, fetched.value.note);
    else problem.show(fetched.failure);
    void offer();
  };

  const offer = async () => {
    const catalog = await readCatalog();
    if (!catalog.ok) return fill(offered, h('p', {}, catalog.failure.message));
    if (catalog.value.length === 0) {
      return fill(
        offered,
        h('p', {}, 'This site serves no model. Use your own files; they stay on this machine.'),
      );
    }
    const items = catalog.value.map(async (model) => {
      const { kept, complete } = await keptOf(model);
      const button = h(
        'button',
        { type: 'button', class: 'primary', onclick: () => void fetchAndLoad(model) },
        'Load',
      );
      button.setAttribute('aria-label', `Load ${model.name}`);
      const rest = kept > 0 ? `, ${bytes(kept)} of them are here` : '';
      const where = complete
        ? `${bytes(model.bytes)}, kept in this browser`
        : `${bytes(model.bytes)} to download${rest}`;
      const words = h('p', {}, h('strong', {}, model.name), h('br'), `${where} · ${model.licence}`);
      return h('div', { class: 'offer' }, words, button);
    });
    fill(offered, ...(await Promise.all(items)));
  };

  lab.model.watch((state) => {
    progress.show(state.status === 'loading' ? state.progress : null);
    problem.show(state.status === 'failed' ? state.failure : null);
    const summary = readyValue(state);
    facts.element.hidden = summary === undefined;
    if (summary !== undefined) facts.show(factsOf(summary, modelNameOf(lab.modelFiles)));
    const told = summary?.notices ?? [];
    fill(notices, ...told.map((words) => h('li', {}, words)));
    notices.hidden = told.length === 0;
    if (state.status === 'ready') chooser.open = false;
    if (state.status === 'failed') chooser.open = true;
  });
  lab.phase.watch(() => chooser.toggleAttribute('inert', app.locked));
  freed.subscribe(() => void offer());
  void offer();
  return [
    facts.element,
    notices,
    progress.element,
    problem.element,
    notice.element,
    arrivalNotice(app, 'model'),
    chooser,
  ];
}

/** The model that is a part of the page. */
function tinyOffer(load: () => Promise<void>): HTMLElement {
  const button = h('button', { type: 'button', id: 'load-tiny', onclick: () => void load() }, 'Load');
  button.setAttribute('aria-label', `Load ${TINY.name}`);
  const words = h('p', {}, h('strong', {}, TINY.name), h('br'), `${bytes(TINY.bytes)} · ${TINY.about}`);
  return h('div', { class: 'offer' }, words, button);
}

function factsOf(model: ModelSummary, knownAs: string): [string, string][] {
  return [
    ['Model', knownAs || model.name],
    ['Architecture', model.architecture],
    ['Weights', large(model.parameters)],
    ['Layers × channels', `${count(model.layers)} × ${count(model.hidden_size)}`],
    ['Vocabulary', count(model.vocab_size)],
    ['Context', `${count(model.context_length)} tokens`],
    ['Files', bytes(model.file_bytes)],
    ['In memory', bytes(model.memory_bytes)],
    ['Chat template', model.has_chat_template ? 'yes' : 'no'],
  ];
}
