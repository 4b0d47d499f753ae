import './theory.css';
import { swatch } from '../charts/run-style';
import { copyLink } from '../controls/copy-link';
import { fill, h, setText } from '../controls/dom';
import { factList } from '../controls/facts';
import { showProblems } from '../controls/field';
import { failureBox } from '../controls/message';
import type { Budget } from '../lab/budget';
import type { SpawnWorker } from '../lab/worker-link';
import type { TheorySettings } from '../protocol';
import { duration, measure, setting } from '../words/numbers';
import { theoryChart } from './chart';
import { checkTheory } from './check';
import { defaultTheory, methods, theoryMethodNames } from './config';
import { TheoryLab } from './lab';
import { readTheoryLink, theoryLink } from './link';
import { theoryControls } from './settings-panel';
import { theoryStory } from './story';
import { assumptionWords, geometryFacts, invarianceWords, iterationsOf, sentenceOf } from './words';

// A slider that is being dragged is one question, not thirty.
const REST_MS = 120;

/** The theory's problems, trained in a worker of their own while sliders move. */
export function theoryView(spawn: SpawnWorker, budget: Budget): HTMLElement[] {
  const lab = new TheoryLab(spawn);
  const settings = defaultTheory();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const changed = () => {
    clearTimeout(timer);
    const problems = checkTheory(settings);
    showProblems(controls.element, problems);
    if (problems.size > 0) return;
    // What is shown is not what is asked for any more.
    lab.leave();
    timer = setTimeout(() => void lab.run(structuredClone(settings)), REST_MS);
  };
  const controls = theoryControls(settings, changed);
  lab.state.subscribe(({ phase, curves, failure }) => {
    if (failure?.field != null) showProblems(controls.element, new Map([[failure.field, failure.message]]));
    if (phase !== 'finished' || !settings.best_of_grid) return;
    for (const { method, lr } of curves) settings.lr[method] = Number(lr.toPrecision(3));
    controls.show();
  });
  const told = failureBox();
  const take = () => {
    const answer = readTheoryLink(location.hash);
    if (answer === null) return false;
    // Else the next reload would undo what is changed from now on.
    history.replaceState(null, '', '#theory');
    told.show(answer.ok ? null : answer.failure);
    if (!answer.ok) return false;
    const { problem, lr, best_of_grid } = answer.value;
    Object.assign(settings.problem, problem);
    Object.assign(settings.lr, lr);
    settings.best_of_grid = best_of_grid;
    return true;
  };
  take();
  addEventListener('hashchange', () => {
    if (!take()) return;
    controls.show();
    changed();
  });
  controls.show();
  void lab.run(structuredClone(settings));
  const invariance = invarianceTest(lab, settings, () => checkTheory(settings).size === 0);
  const link = copyLink({
    id: 'copy-theory-link',
    label: 'Copy a link to this problem',
    link: async () => theoryLink(location.href, settings),
    about: 'Whoever opens it sees the same curves.',
  });
  return [
    h(
      'div',
      { class: 'setup' },
      h(
        'section',
        { 'aria-labelledby': 'theory-problem-title' },
        h('h2', { id: 'theory-problem-title' }, 'Problem'),
        told.element,
        controls.element,
        invariance,
        link,
      ),
    ),
    h(
      'div',
      { class: 'bench' },
      h(
        'section',
        { id: 'theory-curves', 'aria-labelledby': 'theory-curves-title', tabindex: '-1' },
        h('h2', { id: 'theory-curves-title' }, 'Error over iterations'),
        ...results(lab, budget),
      ),
      h(
        'section',
        { 'aria-labelledby': 'theory-hard-title' },
        h('h2', { id: 'theory-hard-title' }, 'How hard this problem is'),
        ...geometry(lab),
      ),
      h(
        'section',
        { 'aria-labelledby': 'theory-story-title' },
        h('h2', { id: 'theory-story-title' }, 'What it shows'),
        theoryStory(),
      ),
    ),
  ];
}

// Of R, where the user has set none.
const USUAL_CONDITION = 10;

/** Trains all methods from the start and from other factors of the same product, and says which of them saw it. */
function invarianceTest(lab: TheoryLab, settings: TheorySettings, sound: () => boolean): HTMLElement {
  const words = h('p', { id: 'theory-invariance-words', role: 'status' });
  const test = async () => {
    if (!sound()) return setText(words, 'The problem above has a mistake; mend it first.');
    const condition =
      settings.problem.factor_condition > 1 ? settings.problem.factor_condition : USUAL_CONDITION;
    const solved = async (factor_condition: number) => {
      const problem = { ...settings.problem, factor_condition };
      return lab.run(structuredClone({ ...settings, problem, best_of_grid: false }));
    };
    setText(words, 'Training from both starts.');
    const own = settings.problem.factor_condition;
    // The one that is set comes last, so that the chart shows what the settings say.
    const first = await solved(own > 1 ? 1 : condition);
    const last = first === null ? null : await solved(own);
    const [one, other] = own > 1 ? [first, last] : [last, first];
    setText(
      words,
      one === null || other === null
        ? 'Another problem came in between; test again.'
        : invarianceWords(one, other, condition),
    );
  };
  const button = h(
    'button',
    { type: 'button', id: 'theory-invariance', class: 'quiet', onclick: () => void test() },
    'Test invariance',
  );
  return h('div', { class: 'stack' }, h('div', { class: 'row' }, button), words);
}

/** Status, legend, curves and numbers of the methods. */
function results(lab: TheoryLab, budget: Budget): HTMLElement[] {
  const status = h('p', { class: 'status', id: 'theory-status', role: 'status' });
  const failure = failureBox();
  const legend = h(
    'ul',
    { class: 'chart-legend' },
    ...methods.map((method, style) => h('li', {}, swatch(style), theoryMethodNames[method])),
  );
  const columns = ['lr', 'Iterations to 1e-6', 'Error', 'Distance from planted', 'Departure from the flow'];
  const rows = methods.map((method, style) => {
    const cells = columns.map((name) => h('td', { 'data-column': name }, '–'));
    const name = h('th', { scope: 'row' }, swatch(style), theoryMethodNames[method]);
    return { cells, row: h('tr', { 'data-method': method }, name, ...cells) };
  });
  const heads = ['Method', ...columns].map((name) => h('th', { scope: 'col' }, name));
  const table = h(
    'table',
    { id: 'theory-readouts', class: 'dense' },
    h('caption', { class: 'unseen' }, 'Methods'),
    h('thead', {}, h('tr', {}, ...heads)),
    h('tbody', {}, ...rows.map(({ row }) => row)),
  );
  lab.state.watch((state) => {
    failure.show(state.failure);
    setText(
      status,
      statusOf(
        state,
        budget.holders.value.map(({ name }) => name),
      ),
    );
    for (const [index, curve] of state.curves.entries()) {
      const texts = [
        setting(Number(curve.lr.toPrecision(3))),
        iterationsOf(curve),
        measure(curve.errors.at(-1) ?? null),
        measure(curve.recovery),
        measure(curve.departure),
      ];
      for (const [at, cell] of (rows[index]?.cells ?? []).entries()) setText(cell, texts[at] ?? '');
    }
  });
  const region = { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Numbers of the methods' };
  const chart = theoryChart(lab);
  const head = h('div', { class: 'titled' }, legend, chart.save);
  return [status, failure.element, head, chart.element, h('div', region, table)];
}

function statusOf(
  { phase, report, curves, seconds }: TheoryLab['state']['value'],
  busy: readonly string[],
): string {
  if (phase === 'failed') return 'This problem was not solved; see below.';
  if (phase === 'finished') return `${curves.map(sentenceOf).join(' ')} It took ${duration(seconds)}.`;
  if (phase === 'searching' && report !== null) return 'Trying learning rates.';
  const words = phase === 'running' ? 'Training.' : 'Starting.';
  return busy.length === 0 ? words : `${words} The training of ${busy.join(' and ')} makes this slower.`;
}

/** The numbers that the theorem's assumption is about. */
function geometry(lab: TheoryLab): HTMLElement[] {
  const facts = factList('Condition of the problem');
  const words = h('p', { id: 'theory-assumption' });
  let shown = '';
  lab.state.watch(({ report }) => {
    if (report === null) return;
    const next = JSON.stringify(report.geometry);
    if (next === shown) return;
    shown = next;
    facts.show(geometryFacts(report.geometry));
    fill(words, assumptionWords(report.geometry));
  });
  return [facts.element, words];
}
