import { fill, h } from '../../controls/dom';
import { paced } from '../../controls/frame';
import type { Experiment } from '../experiment';
import { areRatesCompared, methodsOf } from './methods';
import { verdictsOf } from './verdict';

/** What the numbers say about each method and the same with the preconditioner, where there are such runs. */
export function verdictPanel(app: Experiment): HTMLElement {
  const list = h('ul', { class: 'verdict', id: app.id('verdict'), hidden: true });
  const live = h('div', { role: 'status', class: 'unseen' });
  let before = '';
  const draw = paced(() => {
    const { metrics, trainedRuns, lab } = app;
    const methods = metrics.value === null ? [] : methodsOf(trainedRuns.value, metrics.value.steps);
    const sentences = metrics.value === null ? [] : verdictsOf(methods, metrics.value);
    const going = ['running', 'pausing', 'paused'].includes(lab.phase.value);
    list.hidden = sentences.length === 0;
    const words = [going ? 'So far: ' : '', ...sentences].join('');
    if (words === before) return;
    before = words;
    fill(
      list,
      ...sentences.map((sentence) => h('li', {}, going ? `So far: ${sentence}` : sentence)),
      h(
        'li',
        { class: 'hint' },
        `${areRatesCompared(methods) ? '' : 'One learning rate proves little: a method may only like it more. '}Losses on held-out examples; less than 1 % apart counts as level.`,
      ),
    );
    // A screen reader hears the end, not each step.
    live.textContent = going ? '' : sentences.join(' ');
  });
  app.measured.watch(draw.soon);
  app.trainedRuns.subscribe(draw.now);
  return h('div', {}, list, live);
}
