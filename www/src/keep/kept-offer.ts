import './kept-offer.css';
import { h } from '../controls/dom';
import { dropZone } from '../controls/drop-zone';
import { modelFiles } from '../controls/dropped';
import { failurePlace, noticePlace } from '../controls/message';
import { progressBar } from '../controls/progress';
import { dateWords } from '../words/date';
import { bytes, count, plural } from '../words/numbers';
import { goOnWithKept } from './go-on';
import type { Keeper } from './keeper';
import type { KeptTraining } from './kept-training';
import { MOST_KEPT, type Offer } from './kept-trainings';

/** Offers to go on with trainings that were kept, and says where keeping does not work. */
export function keptOffer<Of extends KeptTraining>(keeper: Keeper<Of>): HTMLElement[] {
  const { all, keeping } = keeper;
  const { experiment } = keeping;
  const { lab } = experiment;
  const problem = failurePlace();
  const trouble = noticePlace();
  const notice = noticePlace();
  let loading: AbortController | null = null;
  const progress = progressBar('Loading the kept training', () => {
    loading?.abort();
    lab.cancelLoading();
  });
  const list = h('ul', { class: 'kept-list' });
  const most = h('p', { class: 'hint' }, `The newest ${MOST_KEPT} trainings are kept.`);
  const element = h(
    'div',
    {
      class: 'kept',
      id: experiment.id('kept'),
      role: 'region',
      'aria-label': 'Kept trainings',
      tabindex: '-1',
      hidden: true,
    },
    list,
    progress.element,
    problem.element,
    most,
  );
  const begin = async (id: string, files: readonly File[]) => {
    if (loading !== null) return;
    loading = new AbortController();
    show();
    const answer = await goOnWithKept(keeper, id, files, progress.show, loading.signal);
    loading = null;
    progress.show(null);
    problem.show(answer.ok ? null : answer.failure);
    show();
  };
  const discard = async (id: string) => {
    const answer = await all.discard(id);
    problem.show(answer.ok ? null : answer.failure);
    // The button that had the focus is gone.
    const next = list.querySelector('button') ?? document.getElementById(experiment.id('start'));
    next?.focus();
  };

  const itemOf = (offer: Offer<Of>, isFirst: boolean) => {
    const { id, content, busy, fallback } = offer;
    const when = dateWords(Date.parse(content.began));
    const asks = keeping.asksForModel(offer) && lab.model.value.status !== 'ready';
    const name = (label: string) => `${label} the training of ${when}`;
    const button = (what: string, label: string, onclick: () => void, primary = false) => {
      const own = { id: isFirst ? experiment.id(`${what}-kept`) : null, 'aria-label': name(label) };
      const made = h(
        'button',
        { type: 'button', ...own, class: primary ? 'primary' : 'quiet', onclick },
        label,
      );
      made.disabled = loading !== null;
      return made;
    };
    const label = content.step < content.steps ? 'Resume' : 'Bring back';
    const go = button('resume', label, () => void begin(id, []), true);
    go.disabled ||= lab.engineReport.value.status !== 'ready';
    const give = dropZone({
      what: 'the model of the kept training',
      pick: modelFiles,
      why: 'A model is a GGUF file or all parts of one, or the files of its folder.',
      words: 'The model’s files had no room here: give the same ones again.',
      choose: 'Choose files',
      accept: '.gguf,.safetensors,.json,.jinja',
      folder: true,
      onFiles: (files) => void begin(id, modelFiles(files)),
    });
    const free = button('discard', 'Discard', () => void discard(id));
    const damaged = fallback ? 'Its last copy was not written to the end; this is the one before. ' : '';
    return h(
      'li',
      { 'data-training': id, 'data-busy': busy ? '' : null },
      h('p', {}, offerWords(content, when, busy)),
      h(
        'p',
        { class: 'hint' },
        `${damaged}${needsOf(content)}${busy ? ' It is offered here when that tab is closed.' : ''}`,
      ),
      ...(busy ? [] : asks ? (loading === null ? [give] : []) : [h('div', { class: 'row' }, go, free)]),
      ...(busy || !asks ? [] : [h('div', { class: 'row' }, free)]),
    );
  };
  let shown = '';
  const show = () => {
    const phase = lab.phase.value;
    // What finished here is on the page already; what ended early can go on from its last checkpoint.
    const usable = phase === 'idle' || phase === 'stopped' || phase === 'failed';
    const offers = all.offers.value;
    element.hidden = offers.length === 0 || !usable || experiment.sweeping.value;
    const state = JSON.stringify([
      offers.map(({ id, busy, fallback, content: { step, steps } }) => [id, busy, fallback, step, steps]),
      offers.map((offer) => keeping.asksForModel(offer) && lab.model.value.status !== 'ready'),
      lab.engineReport.value.status === 'ready',
      loading !== null,
    ]);
    if (state === shown) return;
    shown = state;
    const free = offers.find(({ busy }) => !busy);
    // Whoever is at a button stays there.
    const at = document.activeElement?.getAttribute('aria-label') ?? null;
    const had = list.contains(document.activeElement);
    list.replaceChildren(...offers.map((offer) => itemOf(offer, offer === free)));
    if (!had) return;
    const buttons = [...list.querySelectorAll('button')];
    (buttons.find((one) => one.getAttribute('aria-label') === at) ?? element).focus();
  };
  const { offers } = all;
  for (const signal of [offers, lab.phase, lab.engineReport, lab.model, experiment.sweeping]) {
    signal.subscribe(show);
  }
  show();
  keeper.trouble.watch((text) => trouble.show(text));
  keeper.notice.watch((text) => notice.show(text));
  return [element, trouble.element, notice.element];
}

function offerWords({ step, steps }: KeptTraining, when: string, busy: boolean): string {
  const far = `step ${count(step)} of ${count(steps)}`;
  if (busy) return `The training of ${when} is open in another tab: ${far}.`;
  return step < steps
    ? `The training of ${when} can go on: ${far}.`
    : `The training of ${when} is kept, all ${plural(steps, 'step')} of it.`;
}

function needsOf({ model, data, metrics }: KeptTraining): string {
  const size = model.files.reduce((sum, file) => sum + file.bytes, 0);
  const runs = plural(metrics.runs.length, 'run');
  return `${runs} on ${model.name} (${bytes(size)}) and ${data.name}.`;
}
