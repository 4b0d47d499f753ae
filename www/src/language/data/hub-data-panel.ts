import { fill, h, setText } from '../../controls/dom';
import { choiceField } from '../../controls/field';
import { fieldWithButton } from '../../controls/field-with-button';
import { failureBox, noticeBox } from '../../controls/message';
import { progressBar } from '../../controls/progress';
import type { DataSource } from '../../lab/language';
import { parseDatasetId } from '../../store/data-id';
import { type DataSplit, lookUpData } from '../../store/hub-data';
import { bytes, plural } from '../../words/numbers';
import { streamSplit } from './hub-data';

type Take = (source: DataSource) => void;

/**
 * Data sets of Hugging Face by their id: a split is chosen, its size is said, and its rows come. `train` gets what is
 * trained on, the first rows first; `validate` what is only measured on.
 */
export function hubDataPanel(train: Take, validate: Take): HTMLElement[] {
  let running: AbortController | null = null;
  let id = '';
  let splits: readonly DataSplit[] = [];
  let chosen = 0;
  const problem = failureBox();
  const notice = noticeBox();
  const progress = progressBar('Downloading a data set', () => running?.abort());
  const choices = h('div', { class: 'stack', id: 'data-set-splits', hidden: true });
  const size = h('p', { class: 'hint', role: 'status' });

  /** One action at a time. */
  const act = async (action: (signal: AbortSignal) => Promise<void>) => {
    if (running !== null) return;
    running = new AbortController();
    problem.show(null);
    notice.show('');
    await action(running.signal);
    running = null;
    progress.show(null);
  };
  const lookUp = (text: string) =>
    act(async (signal) => {
      choices.hidden = true;
      const parsed = parseDatasetId(text);
      if (!parsed.ok) return problem.show(parsed.failure);
      progress.show({ action: 'Asking huggingface.co', done: 0, total: 0 });
      const found = await lookUpData(parsed.value, signal);
      if (!found.ok) return problem.show(found.failure);
      id = parsed.value;
      splits = found.value;
      chosen = Math.max(
        0,
        splits.findIndex(({ split }) => split === 'train'),
      );
      showChoices();
    });
  const get = (take: Take, takeFirst: Take) =>
    act(async (signal) => {
      const split = splits[chosen];
      if (split === undefined) return;
      const got = await streamSplit(id, split, takeFirst, progress.show, signal);
      if (!got.ok) return problem.show(got.failure);
      notice.show(got.value.note);
      take(got.value.source);
    });
  const showSize = () => {
    const split = splits[chosen];
    if (split === undefined) return;
    setText(size, `${bytes(split.bytes)} are downloaded, in ${plural(split.files.length, 'file')}.`);
  };
  const showChoices = () => {
    const field = choiceField<string>({
      label: 'Configuration and split',
      help: 'Which part of the data set is read.',
      choices: splits.map((split, index) => [String(index), splitWords(split)]),
      onInput: (value) => {
        chosen = Number(value);
        showSize();
      },
    });
    field.show(String(chosen));
    const button = (id: string, words: string, onclick: () => unknown) =>
      h('button', { type: 'button', id, onclick: () => void onclick() }, words);
    fill(
      choices,
      field.element,
      size,
      h(
        'div',
        { class: 'row' },
        button('get-data-set', 'Train on it', () => get(train, train)),
        button('get-validation-set', 'Validate on it', () => get(validate, () => {})),
      ),
    );
    showSize();
    choices.hidden = false;
  };
  const any = fieldWithButton({
    label: 'Id of a data set',
    help: 'As on huggingface.co/datasets: owner and name.',
    placeholder: 'openai/gsm8k',
    button: { id: 'look-up-data-set', words: 'Look up' },
    onAct: (text) => void lookUp(text),
  });
  return [
    h(
      'details',
      { class: 'elsewhere' },
      h('summary', {}, 'Or from Hugging Face'),
      h('p', { class: 'hint' }, 'These buttons ask huggingface.co, and send it nothing of yours.'),
      any,
      choices,
    ),
    progress.element,
    problem.element,
    notice.element,
  ];
}

/** `main, train: 2.3 MB`. */
function splitWords({ configuration, split, isPartial, bytes: size }: DataSplit): string {
  return `${configuration}, ${split}${isPartial ? ' (only its beginning)' : ''}: ${bytes(size)}`;
}
