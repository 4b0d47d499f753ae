import './heat.css';
import { fill, h, setText } from '../../controls/dom';
import { measure } from '../../words/numbers';
import { type HeatScale, heatOf } from './heat';
import { visible } from './preview';

/** One token, its number under the shown view, and all of its numbers in words. */
export interface HeatToken {
  text: string;
  counts: boolean;
  value: number | null;
  words: string;
}

/** A text whose tokens are coloured by a number. Arrow keys go from token to token; each says its number. */
export function tokenHeat() {
  const text = h('div', { class: 'heat', role: 'listbox', 'aria-label': 'Tokens of the text' });
  const readout = h('p', { class: 'heat-readout' });
  const low = h('span', {});
  const middle = h('span', {});
  const high = h('span', {});
  const bar = h('span', { class: 'heat-bar', 'aria-hidden': 'true' });
  const words = h('span', {});
  const legend = h(
    'div',
    { class: 'heat-legend' },
    words,
    h('div', { class: 'heat-scale' }, bar, h('div', { class: 'ends' }, low, middle, high)),
  );
  let tokens: readonly HeatToken[] = [];
  let current = 0;

  const say = (index: number) => setText(readout, tokens[index]?.words ?? '');
  const move = (index: number, focus: boolean) => {
    const options = [...text.children] as HTMLElement[];
    const to = Math.max(0, Math.min(options.length - 1, index));
    options[current]?.setAttribute('tabindex', '-1');
    options[current]?.setAttribute('aria-selected', 'false');
    current = to;
    options[to]?.setAttribute('tabindex', '0');
    options[to]?.setAttribute('aria-selected', 'true');
    if (focus) options[to]?.focus();
    say(to);
  };
  const indexOf = (target: EventTarget | null) =>
    target instanceof Element ? [...text.children].indexOf(target.closest('[role=option]') ?? target) : -1;
  text.addEventListener('keydown', (event) => {
    const steps: Record<string, number> = {
      ArrowRight: current + 1,
      ArrowDown: current + 1,
      ArrowLeft: current - 1,
      ArrowUp: current - 1,
      Home: 0,
      End: tokens.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to, true);
  });
  text.addEventListener('pointerover', (event) => {
    const index = indexOf(event.target);
    if (index >= 0) say(index);
  });
  text.addEventListener('pointerleave', () => say(current));
  text.addEventListener('click', (event) => {
    const index = indexOf(event.target);
    if (index >= 0) move(index, true);
  });

  const show = (next: readonly HeatToken[], scale: HeatScale, name: string) => {
    tokens = next;
    fill(text, ...next.map((token) => option(token, scale)));
    text.setAttribute('aria-label', `Tokens of the text, ${name}`);
    bar.classList.toggle('signed', scale.signed);
    setText(words, name);
    setText(low, scale.signed ? `−${scale.limit}: the run is better` : '0: foreseen');
    setText(middle, scale.signed ? '0' : '');
    setText(high, scale.signed ? `+${scale.limit}: worse` : `${scale.limit} nats or more: a surprise`);
    move(Math.min(current, Math.max(0, next.length - 1)), false);
  };
  return { element: h('div', { class: 'stack' }, legend, text, readout), show };
}

function option(token: HeatToken, scale: HeatScale): HTMLElement {
  const { text, value, counts } = token;
  const side = value === null ? 'none' : value < 0 ? 'cool' : 'hot';
  const element = h(
    'span',
    {
      role: 'option',
      tabindex: '-1',
      'aria-selected': 'false',
      class: `heat-token ${side}${counts ? ' counts' : ''}`,
      'aria-label': `${text.trim() === '' ? 'white space' : text}, ${value === null ? 'no loss' : measure(value)}`,
    },
    visible(text),
  );
  if (value !== null) element.style.setProperty('--heat', heatOf(value, scale).toFixed(3));
  return element;
}
