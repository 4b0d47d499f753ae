import { fill, givenName, h, setText } from '../../controls/dom';
import { choiceField, numberField, textField } from '../../controls/field';
import { failureBox, noticeBox } from '../../controls/message';
import { readyValue } from '../../lab/loadable';
import { count, measure, plural } from '../../words/numbers';
import type { App } from '../app';
import { heatScale, lossDifference, meanLoss } from './heat';
import { visible } from './preview';
import { type HeatToken, tokenHeat } from './token-heat';
import type { Reading } from './token-losses';

/** A way to look at the losses: those of one lane, or of a run less the base's. */
interface View {
  name: string;
  values: (number | null)[];
  signed: boolean;
}

const ABOUT =
  'Each token of a text is coloured by how much it surprises the base or a run, which shows what a run has learned, and where.';

/** How well the base and the runs foresee each token of a text. */
export function tokenLossPanel(app: App): HTMLElement[] {
  const { lab, tokenLosses: book } = app;
  let text = '';
  let example = 1;
  let source: 'example' | 'text' = 'example';
  let shown = '';
  const problem = failureBox();
  const notice = noticeBox();
  const own = textField({
    label: 'Text',
    help: 'The models read it and write nothing: at each token it is measured how likely they held it to be.',
    rows: 3,
    onInput: (value) => {
      text = value;
      showButtons();
    },
  });
  const number = numberField({
    label: 'Held-out example',
    help: 'Which of the validation examples, counted from 1. The runs never trained on them.',
    onInput: (value) => {
      example = value;
      showButtons();
    },
  });
  const what = choiceField<'example' | 'text'>({
    label: 'Measure',
    help: 'Losses on an example that was held out, or on a text of your own.',
    choices: [
      ['example', 'a held-out example'],
      ['text', 'a text of mine'],
    ],
    onInput: (value) => {
      source = value;
      showButtons();
    },
  });
  const ask = () => void app.measureTokens(source === 'text' ? text : null, Math.max(0, example - 1));
  const go = h('button', { type: 'button', id: 'measure', class: 'primary', onclick: ask }, 'Show losses');
  const next = h(
    'button',
    {
      type: 'button',
      id: 'next-example',
      onclick: () => {
        example += 1;
        number.show(example);
        showButtons();
        ask();
      },
    },
    'Next example',
  );
  const busy = h('span', { class: 'hint', role: 'status' });
  const view = choiceField<string>({
    label: 'Colours show',
    help: 'A loss is −ln of the probability that the model gave to the token: 0 is certain, 2.3 one in ten. Run − base shows what training changed.',
    choices: [],
    onInput: (value) => {
      shown = value;
      draw();
    },
  });
  const heat = tokenHeat();
  const means = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Mean losses' });
  const table = h('div', {
    class: 'scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Losses of each token',
  });
  const numbers = h('details', { class: 'numbers' }, h('summary', {}, 'Numbers of each token'), table);
  const result = h('div', { class: 'stack' }, view.element, heat.element, means, numbers);
  const empty = h('p', { class: 'hint' });

  const showButtons = () => {
    const model = lab.model.value.status === 'ready' && lab.phase.value !== 'preparing';
    const heldOut = readyValue(lab.data.value)?.statistics.validation_examples ?? 0;
    const enough =
      source === 'text' ? text.trim() !== '' : heldOut > 0 && Number.isInteger(example) && example >= 1;
    what.show(source);
    own.element.hidden = source !== 'text';
    number.element.hidden = source !== 'example';
    next.hidden = source !== 'example' || book.reading.value === null;
    go.disabled = book.busy.value || !model || !enough;
    next.disabled = go.disabled;
    setText(empty, model ? ABOUT : `${ABOUT} Load a model first.`);
    const missing = source === 'example' && model && heldOut === 0;
    setText(
      busy,
      book.busy.value
        ? 'Reading…'
        : missing
          ? 'No example is held out yet: read data, or measure a text of yours.'
          : '',
    );
  };
  const draw = () => {
    const reading = book.reading.value;
    result.hidden = reading === null;
    empty.hidden = reading !== null;
    if (reading === null) return;
    const views = viewsOf(reading);
    const current = views.find(({ name }) => name === shown) ?? views.at(-1);
    if (current === undefined) return;
    const select = view.element.querySelector('select');
    if (select !== null) fill(select, ...views.map(({ name }) => h('option', { value: name }, name)));
    view.show(current.name);
    heat.show(heatTokens(reading, current), heatScale(current.values, current.signed), current.name);
    fill(means, meanTable(reading));
    drawTable();
    const { left_out: left } = reading.report;
    notice.show(
      left === 0 ? '' : `The last ${plural(left, 'token')} of the text were left out: it is too long.`,
    );
  };
  const drawTable = () => {
    const reading = book.reading.value;
    if (numbers.open && reading !== null) fill(table, tokenTable(reading));
  };
  numbers.addEventListener('toggle', drawTable);
  number.show(example);
  book.reading.watch(() => {
    shown = '';
    draw();
    showButtons();
  });
  book.busy.watch(showButtons);
  book.failure.watch((failure) => problem.show(failure));
  lab.model.subscribe(showButtons);
  lab.data.subscribe(showButtons);
  lab.phase.subscribe(showButtons);
  return [
    h('div', { class: 'fields roomy' }, what.element, number.element),
    own.element,
    h('div', { class: 'row' }, go, next, busy),
    problem.element,
    notice.element,
    empty,
    result,
  ];
}

function nameOf(run: number | null, { runs }: Reading): string {
  return run === null ? 'Base' : (runs[run]?.name ?? `Run ${run + 1}`);
}

/** The base, each run, and each run less the base. */
function viewsOf(reading: Reading): View[] {
  const { lanes } = reading.report;
  const base = lanes.find(({ run }) => run === null);
  const plain = lanes.map(({ run, losses }): View => {
    return { name: `Loss of ${nameOf(run, reading)}`, values: losses, signed: false };
  });
  const differences = lanes.flatMap(({ run, losses }): View[] => {
    if (run === null || base === undefined) return [];
    return [
      { name: `${nameOf(run, reading)} − base`, values: lossDifference(losses, base.losses), signed: true },
    ];
  });
  return [...plain, ...differences];
}

function heatTokens(reading: Reading, { values, signed }: View): HeatToken[] {
  const { tokens, lanes } = reading.report;
  return tokens.map(({ text, counts }, index) => {
    const value = values[index] ?? null;
    const all = lanes.map(({ run, losses }) => `${nameOf(run, reading)} ${measure(losses[index] ?? null)}`);
    const change = signed && value !== null ? `; difference ${value > 0 ? '+' : ''}${measure(value)}` : '';
    return {
      text,
      counts,
      value,
      words: `Token ${index + 1} “${visible(text)}”: ${all.join(', ')}${change}`,
    };
  });
}

function meanTable(reading: Reading): HTMLElement {
  const { tokens, lanes } = reading.report;
  const counts = tokens.map((token) => token.counts);
  const all = tokens.map(() => true);
  const some = counts.filter(Boolean).length;
  const head = ['Model', 'All tokens', `The ${count(some)} that count`, 'Perplexity of those'];
  const rows = lanes.map(({ run, losses }) => {
    const mean = meanLoss(losses, counts);
    const cells = [meanLoss(losses, all), mean, mean === null ? null : Math.exp(mean)];
    const name = nameOf(run, reading);
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, givenName(name)),
      ...cells.map((cell) => h('td', {}, measure(cell))),
    );
  });
  const when = reading.runs.length === 0 ? '' : `, after step ${reading.step}`;
  return h(
    'table',
    {},
    h('caption', {}, `Mean loss in nats${when}`),
    h('thead', {}, h('tr', {}, ...head.map((name) => h('th', { scope: 'col' }, givenName(name))))),
    h('tbody', {}, ...rows),
  );
}

function tokenTable(reading: Reading): HTMLElement {
  const { tokens, lanes } = reading.report;
  const head = ['Token', ...lanes.map(({ run }) => nameOf(run, reading))];
  const rows = tokens.map(({ text }, index) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row', class: 'token-text' }, visible(text)),
      ...lanes.map(({ losses }) => h('td', {}, measure(losses[index] ?? null))),
    ),
  );
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, ...head.map((name) => h('th', { scope: 'col' }, givenName(name))))),
    h('tbody', {}, ...rows),
  );
}
