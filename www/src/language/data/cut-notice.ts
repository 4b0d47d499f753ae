import { h, setText } from '../../controls/dom';
import { readyValue } from '../../lab/loadable';
import { count } from '../../words/numbers';
import type { App } from '../app';
import { type Cut, cutWords, endsAtMost } from './cut';

/** What of the data is not trained on because of settings, each with a click that changes that. */
export function cutNotice(app: App): HTMLElement {
  const { lab } = app;
  const length = notice('cut', () => void app.takeLength(app.cut?.proposed ?? null));
  const followed = notice(
    'length-followed',
    () => void app.takeLength(app.lengthFollowed.value?.before ?? null),
  );
  const most = notice('most-examples', () => {
    app.change(({ data }) => Object.assign(data, { maximum_examples: null }));
    void app.readData();
  });
  const show = () => {
    const summary = app.dataStale.value ? undefined : readyValue(lab.data.value);
    const { cut } = app;
    const proposed = cut?.proposed ?? null;
    const end = ' The model reads no more at once: shorten the texts.';
    length.show(
      cut === null ? '' : `${cutWords(cut)}; ${mostFit(cut)}.${proposed === null ? end : ''}`,
      proposed === null ? '' : `Take ${count(proposed)} tokens`,
    );
    const change = app.lengthFollowed.value;
    followed.show(
      change === null
        ? ''
        : `${cutWords(change.cut)}; ${mostFit(change.cut)}. The sequence length was set to ${count(change.after)}, and a step takes longer for it.`,
      change === null ? '' : `Back to ${count(change.before)} tokens`,
    );
    const { maximum_examples: maximum } = app.config.value.data;
    const ends = summary !== undefined && endsAtMost(summary.statistics, maximum);
    most.show(
      ends
        ? `Read are the first ${count(maximum ?? 0)} examples, as “Most examples” says; what follows in the file is not.`
        : '',
      'Read all',
    );
    for (const one of [length, followed, most]) one.enable(!app.locked);
  };
  for (const signal of [lab.data, lab.phase, app.lengthFollowed, app.dataStale]) signal.subscribe(show);
  show();
  return h('div', { class: 'stack' }, length.element, followed.element, most.element);
}

/** How long most of the examples are. */
function mostFit({ length95 }: Cut): string {
  return `95 % of all fit into ${count(length95)} tokens`;
}

function notice(id: string, onclick: () => void) {
  const words = h('p', {});
  const button = h('button', { type: 'button', id: `${id}-take`, onclick });
  const element = h('div', { class: 'message warn', id, role: 'status', hidden: true });
  element.append(words, h('div', { class: 'row' }, button));
  return {
    element,
    show(text: string, label: string) {
      element.hidden = text === '';
      setText(words, text);
      button.hidden = label === '';
      setText(button, label);
    },
    enable(can: boolean) {
      button.disabled = !can;
    },
  };
}
