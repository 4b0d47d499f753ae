import './tour.css';
import { h, setText } from '../../controls/dom';
import { tourStops } from './tour-stops';

const MARK = 'toured';
let current: HTMLElement | null = null;

/** Walks through the sections of the page, one card at a time. It covers nothing and blocks nothing. */
export function startTour(): void {
  current?.remove();
  location.hash = '#language';
  const before = document.activeElement;
  let place = 0;
  const title = h('h2', { id: 'tour-title', tabindex: '-1' });
  const words = h('p', {});
  const count = h('span', { class: 'hint' });
  const back = h('button', { type: 'button', onclick: () => go(place - 1) }, 'Back');
  const next = h('button', { type: 'button', class: 'primary', onclick: () => go(place + 1) }, 'Next');
  const close = h('button', { type: 'button', class: 'quiet', onclick: () => end() }, 'Close');
  const card = h(
    'div',
    { class: 'tour', role: 'dialog', 'aria-labelledby': 'tour-title' },
    title,
    words,
    h('div', { class: 'row' }, count, back, next, close),
  );
  const unmark = () => {
    for (const marked of document.querySelectorAll(`.${MARK}`)) marked.classList.remove(MARK);
  };
  const end = () => {
    unmark();
    card.remove();
    current = null;
    if (before instanceof HTMLElement) before.focus();
  };
  const go = (to: number) => {
    const stop = tourStops[to];
    if (stop === undefined) return end();
    place = to;
    unmark();
    const target = document.querySelector(stop.target);
    target?.classList.add(MARK);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    target?.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
    setText(title, stop.title);
    setText(words, stop.words);
    setText(count, `${to + 1} of ${tourStops.length}`);
    back.disabled = to === 0;
    setText(next, to === tourStops.length - 1 ? 'Done' : 'Next');
    // Moving the focus makes screen readers read the new stop, and must not scroll the target away.
    title.focus({ preventScroll: true });
  };
  card.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') end();
  });
  current = card;
  document.body.append(card);
  go(0);
}
