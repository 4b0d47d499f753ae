import './histogram.css';
import { fill, h } from '../../controls/dom';
import type { LengthHistogram } from '../../protocol';
import { plural } from '../../words/numbers';

/** How long the examples are: one bar a range of tokens. */
export function lengthHistogram() {
  const bars = h('div', { class: 'bars', role: 'img' });
  const from = h('span', {}, '1');
  const to = h('span', {});
  const element = h(
    'div',
    { class: 'histogram' },
    h('p', { class: 'hint' }, 'Lengths in tokens'),
    bars,
    h('p', { class: 'hint ends' }, from, to),
  );
  const show = ({ width, examples }: LengthHistogram) => {
    const most = Math.max(1, ...examples);
    fill(
      bars,
      ...examples.map((amount, index) => {
        const bar = h('span', { title: `${plural(amount, 'example')} above ${index * width} tokens` });
        bar.style.setProperty('--height', String(amount / most));
        return bar;
      }),
    );
    const last = (examples.length - 1) * width;
    to.textContent = examples.length > 1 ? `above ${last}: too long` : '';
    const peak = examples.indexOf(most);
    bars.setAttribute(
      'aria-label',
      `Most examples have ${peak * width + 1} to ${(peak + 1) * width} tokens.`,
    );
  };
  return { element, show };
}
