import { h, setText } from '../controls/dom';
import { dropZone } from '../controls/drop-zone';
import { modelFiles } from '../controls/dropped';
import { failurePlace, noticePlace } from '../controls/message';
import { progressBar } from '../controls/progress';
import type { App } from '../language/app';
import { dateWords } from '../words/date';
import { bytes, count, plural } from '../words/numbers';
import type { Keeper } from './keeper';
import type { KeptTraining } from './kept-training';
import { asksForModel, resume } from './resume';

/** Offers to go on with the training that an earlier visit left, and says where keeping does not work. */
export function resumeOffer(app: App, keeper: Keeper): HTMLElement[] {
  const { lab } = app;
  const words = h('p', {});
  const more = h('p', { class: 'hint' });
  const problem = failurePlace();
  const trouble = noticePlace();
  let loading: AbortController | null = null;
  const progress = progressBar('Loading the kept training', () => {
    loading?.abort();
    lab.cancelLoading();
  });
  const button = (id: string, label: string, onclick: () => void, primary = false) =>
    h('button', { type: 'button', id, class: primary ? 'primary' : 'quiet', onclick }, label);
  const begin = async (files: readonly File[]) => {
    if (loading !== null) return;
    loading = new AbortController();
    show();
    const answer = await resume(app, keeper, files, progress.show, loading.signal);
    loading = null;
    progress.show(null);
    problem.show(answer.ok ? null : answer.failure);
    show();
  };
  const go = button('resume-kept', 'Resume', () => void begin([]), true);
  const discard = button('discard-kept', 'Discard', () => {
    problem.show(null);
    void keeper.discard();
  });
  const again = h(
    'div',
    {},
    dropZone({
      words: 'The model’s files had no room here: give the same ones again.',
      choose: 'Choose files',
      accept: '.gguf,.safetensors,.json,.jinja',
      folder: true,
      onFiles: (files) => void begin(modelFiles(files)),
    }),
  );
  const buttons = h('div', { class: 'row' }, go, discard);
  const element = h(
    'div',
    { class: 'kept', id: 'kept', role: 'region', 'aria-label': 'Kept training', hidden: true },
    words,
    more,
    progress.element,
    again,
    buttons,
    problem.element,
  );
  const show = () => {
    const offer = keeper.offer.value;
    const phase = lab.phase.value;
    // What finished here is on the page already; what ended early can go on from its last checkpoint.
    const usable = phase === 'idle' || phase === 'stopped' || phase === 'failed';
    element.hidden = offer === null || !usable || app.sweeping.value;
    if (offer === null) return;
    const { content } = offer;
    setText(words, wordsOf(content));
    const damaged = offer.fallback
      ? 'Its last copy was not written to the end; this is the one before. '
      : '';
    setText(more, `${damaged}${needsOf(content)} Another training will replace it.`);
    setText(go, content.step < content.steps ? 'Resume' : 'Bring it back');
    const asks = asksForModel(offer) && lab.model.value.status !== 'ready';
    again.hidden = !asks || loading !== null;
    go.hidden = asks;
    go.disabled = loading !== null || lab.engineReport.value.status !== 'ready';
    discard.disabled = loading !== null;
  };
  for (const signal of [keeper.offer, lab.phase, lab.engineReport, lab.model, app.sweeping]) {
    signal.subscribe(show);
  }
  show();
  keeper.trouble.watch((text) => trouble.show(text));
  return [element, trouble.element];
}

function wordsOf({ began, step, steps }: KeptTraining): string {
  const when = dateWords(Date.parse(began));
  return step < steps
    ? `The training of ${when} can go on: step ${count(step)} of ${count(steps)}.`
    : `The training of ${when} is kept, all ${plural(steps, 'step')} of it.`;
}

function needsOf({ model, data, metrics }: KeptTraining): string {
  const size = model.files.reduce((sum, file) => sum + file.bytes, 0);
  const runs = plural(metrics.runs.length, 'run');
  return `${runs} on ${model.name} (${bytes(size)}) and ${data.name}.`;
}
