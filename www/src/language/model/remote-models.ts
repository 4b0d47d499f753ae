import '../../experiment/offers.css';
import '../elsewhere.css';
import './remote-models.css';
import { fill, h } from '../../controls/dom';
import { choiceField } from '../../controls/field';
import { fieldWithButton } from '../../controls/field-with-button';
import { failureBox, noticeBox } from '../../controls/message';
import { progressBar } from '../../controls/progress';
import type { Progress } from '../../protocol';
import { lookUp, type ModelChoice, type RemoteModel } from '../../store/hub';
import { type HubPreset, hubPresets, tooLarge } from '../../store/hub-presets';
import { HUB, parseModelAddress } from '../../store/model-address';
import { type KeptModel, listModels, type ModelRecord, removeModel } from '../../store/opfs-models';
import { fetchRemoteModel, recordOf } from '../../store/remote-model';
import { freed } from '../../store/usage';
import { bytes, large, plural } from '../../words/numbers';
import type { App } from '../app';

/** Models from elsewhere: those that are kept, and those of presets or any address. `load` takes the files of one. */
export function remoteModels(app: App, load: (files: File[], name: string, note?: string) => void) {
  let running: AbortController | null = null;
  const problem = failureBox();
  const notice = noticeBox();
  const progress = progressBar('Downloading a model', () => running?.abort());
  const kept = h('div', { class: 'offered', id: 'kept-models' });
  const offer = h('div', { class: 'remote-offer', id: 'remote-offer', tabindex: '-1', hidden: true });

  /** Runs one thing at a time, cancellable, with its messages in place. */
  const alone = async (work: (signal: AbortSignal) => Promise<void>) => {
    if (running !== null) return;
    running = new AbortController();
    problem.show(null);
    notice.show('');
    await work(running.signal);
    running = null;
    progress.show(null);
    void showKept();
  };
  const show = (state: Progress) => progress.show(state);

  const download = (record: ModelRecord) =>
    alone(async (signal) => {
      offer.hidden = true;
      const fetched = await fetchRemoteModel(record, show, signal);
      if (fetched.ok) load(fetched.value.files, record.title, fetched.value.note);
      else problem.show(fetched.failure);
    });
  const ask = (address: string) =>
    alone(async (signal) => {
      offer.hidden = true;
      const parsed = parseModelAddress(address);
      if (!parsed.ok) return problem.show(parsed.failure);
      show({ action: 'Asking what there is', done: 0, total: 0 });
      const found = await lookUp(parsed.value, signal);
      if (signal.aborted) return;
      if (!found.ok) return problem.show(found.failure);
      showOffer(found.value);
    });
  const showOffer = (model: RemoteModel) => {
    fill(
      offer,
      ...offerOf(
        app,
        model,
        (record) => void download(record),
        () => {
          offer.hidden = true;
        },
      ),
    );
    offer.hidden = false;
    offer.focus();
  };

  const showKept = async () => {
    // Those of the site are offered as such.
    const models = (await listModels()).filter(({ host }) => host !== null);
    const forget = async (model: KeptModel) => {
      await removeModel(model.id);
      await showKept();
    };
    fill(
      kept,
      ...models.map((model) =>
        keptItem(
          model,
          () => void download(model),
          () => void forget(model),
        ),
      ),
    );
  };
  freed.watch(() => void showKept());

  const any = fieldWithButton({
    label: 'Repository or address',
    help: 'owner/name on Hugging Face, its address, or the https address of a .gguf file. Its size is shown before anything is downloaded.',
    placeholder: 'HuggingFaceTB/SmolLM2-135M',
    button: { id: 'look-up', words: 'Look up' },
    onAct: (address) => void ask(address),
  });
  const preset = (entry: HubPreset) => presetItem(entry, () => void ask(entry.repository));
  const { host } = new URL(HUB);
  const elsewhere = h(
    'details',
    { class: 'elsewhere' },
    h('summary', {}, 'Or from Hugging Face, or any address'),
    h(
      'p',
      { class: 'hint' },
      `Nothing is asked of another server unless you press a button here. Look up asks ${host} for a list of files; it then knows your network address and which model you look at. Your data never leaves this tab.`,
    ),
    any,
    offer,
    h('ul', { class: 'offered presets' }, ...hubPresets.map(preset)),
  );
  return { kept, elsewhere: [progress.element, problem.element, notice.element, elsewhere] };
}

/** What would be downloaded, and whether it will fit. */
function offerOf(
  app: App,
  model: RemoteModel,
  download: (record: ModelRecord) => void,
  dismiss: () => void,
): HTMLElement[] {
  let [choice] = model.choices;
  const words = h('p', {});
  const parameters = model.parameters === null ? [] : [`${large(model.parameters)} weights`];
  const facts = [model.host, ...parameters, model.licence === null ? 'licence: see its page' : model.licence];
  const get = h('button', {
    type: 'button',
    class: 'primary',
    id: 'download-model',
    onclick: () => {
      if (choice !== undefined) download(recordOf(model, choice));
    },
  });
  const warning = noticeBox();
  const describe = (chosen: ModelChoice) => {
    warning.show(app.lab.choice.value.engine === 'cpu' ? tooLarge(chosen.bytes) : '');
    const size = chosen.bytes === null ? 'size unknown' : bytes(chosen.bytes);
    fill(
      words,
      h('strong', {}, model.title),
      h('br'),
      `${plural(chosen.files.length, 'file')}, ${size}, from ${facts.join(' · ')}`,
    );
    get.textContent = chosen.bytes === null ? 'Download' : `Download ${size}`;
  };
  if (choice !== undefined) describe(choice);
  const several = choiceField<string>({
    label: 'Files',
    help: 'Ways in which this repository has the model. Packed weights are smaller to download and lose a little.',
    choices: model.choices.map(({ label, bytes: size }): [string, string] => [
      label,
      size === null ? label : `${label} (${bytes(size)})`,
    ]),
    onInput: (label) => {
      choice = model.choices.find((one) => one.label === label) ?? choice;
      if (choice !== undefined) describe(choice);
    },
  });
  several.element.hidden = model.choices.length < 2;
  const not = h('button', { type: 'button', class: 'quiet', onclick: dismiss }, 'Not now');
  return [words, several.element, warning.element, h('div', { class: 'row' }, get, not)];
}

function presetItem(
  { name, repository, bytes: size, memory, licence }: HubPreset,
  onAsk: () => void,
): HTMLElement {
  const button = h('button', { type: 'button', onclick: onAsk }, 'Look up');
  button.setAttribute('aria-label', `Look up ${name}`);
  return h(
    'li',
    { class: 'offer' },
    h(
      'p',
      {},
      h('strong', {}, name),
      h('br'),
      `${repository} · about ${bytes(size)}, ${bytes(memory)} in memory · ${licence}`,
    ),
    button,
  );
}

function keptItem(model: KeptModel, onLoad: () => void, onForget: () => void): HTMLElement {
  const { title, host, licence, kept, complete, files } = model;
  const total = files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  const button = h('button', { type: 'button', class: complete ? 'primary' : '', onclick: onLoad });
  button.textContent = complete ? 'Load' : 'Go on';
  button.setAttribute('aria-label', complete ? `Load ${title}` : `Go on downloading ${title}`);
  const remove = h('button', { type: 'button', class: 'quiet', onclick: onForget }, 'Remove');
  remove.setAttribute('aria-label', `Remove ${title}`);
  const amount = complete ? bytes(kept) : `${bytes(kept)} of ${bytes(total)}`;
  const where = complete ? 'kept in this browser' : 'are here, the rest is missing';
  const from = [host, licence].filter((word) => word !== null).join(' · ');
  return h(
    'div',
    { class: 'offer' },
    h('p', {}, h('strong', {}, title), h('br'), `${amount} ${where} · ${from}`),
    h('div', { class: 'row' }, button, remove),
  );
}
