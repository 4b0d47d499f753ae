import './claims.css';
import { h, s } from '../controls/dom';
import { type Card, cardsOf, type Measured, type Trial } from './cards';
import { figures } from './figures';

/** What buttons of the cards do. */
export type Trials = Record<Trial, () => void | Promise<void>>;

/** A card for each claim of the paper: what it says, what was measured here, and a button that tries it. */
export function claimsView(trials: Trials): HTMLElement[] {
  const cards = cardsOf(figures);
  const counts = ['holds here', 'holds in part', 'does not hold here', 'open'].flatMap((verdict) => {
    const count = cards.filter((card) => card.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${verdict}`];
  });
  return [
    h(
      'section',
      { class: 'claims', 'aria-labelledby': 'claims-title', id: 'claims', tabindex: '-1' },
      h('h2', { id: 'claims-title' }, 'What the paper claims, and what we found'),
      h(
        'p',
        {},
        `${cards.length} claims: ${counts.join(', ')}. Verdicts are computed from the committed results of this project; ` +
          'all settings, numbers and limits are in its EXPERIMENTS.md. Try each yourself with the button below it.',
      ),
      h('div', { class: 'claim-cards' }, ...cards.map((card) => claimCard(card, trials))),
    ),
  ];
}

function claimCard(card: Card, trials: Trials): HTMLElement {
  const { id, title, said, found, verdict, limits, beside, trial } = card;
  const titleId = `claim-${id}`;
  return h(
    'article',
    { class: 'claim', 'aria-labelledby': titleId, 'data-claim': id },
    h('h3', { id: titleId }, title),
    h('p', { class: 'claim-verdict', 'data-verdict': verdict }, verdict),
    h(
      'dl',
      {},
      h('dt', {}, 'The paper'),
      h('dd', {}, said),
      h('dt', {}, 'Measured here'),
      h('dd', {}, found, card.numbers.length === 0 ? null : numbers(card)),
      h('dt', {}, 'Limits'),
      h('dd', {}, limits),
      h('dt', {}, 'Others'),
      h('dd', {}, beside),
    ),
    trial === null
      ? null
      : h('button', { type: 'button', onclick: () => void trials[trial.does]() }, trial.words),
  );
}

// In units of the drawing.
const WIDE = 100;
const HIGH = 10;

/** Bars or intervals beside their numbers, which are what a screen reader reads. */
function numbers({ numbers: all, scale, title }: Card): HTMLElement {
  const ends = all.flatMap(({ value, low = value, high = value }) => [value, low, high]);
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const at = (value: number) => ((value - least) / (most - least || 1)) * WIDE;
  const rows = all.map((one) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, one.label),
      h('td', { class: 'claim-bar' }, picture(one, at, scale === 'difference') as unknown as HTMLElement),
      h('td', { class: 'claim-number' }, one.text),
    ),
  );
  return h(
    'table',
    { class: 'claim-numbers' },
    h('caption', { class: 'unseen' }, `Numbers: ${title}`),
    h('tbody', {}, ...rows),
  );
}

function picture(
  { value, low, high }: Measured,
  at: (value: number) => number,
  hasZero: boolean,
): SVGElement {
  const left = Math.min(at(0), at(value));
  const bar = { x: left, y: 3, width: Math.abs(at(value) - at(0)), height: HIGH - 6 };
  return s(
    'svg',
    { viewBox: `-1 0 ${WIDE + 2} ${HIGH}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('rect', { ...bar, class: 'bar' }),
    ...(low === undefined || high === undefined
      ? []
      : [s('line', { x1: at(low), x2: at(high), y1: HIGH / 2, y2: HIGH / 2, class: 'interval' })]),
    ...(hasZero ? [s('line', { x1: at(0), x2: at(0), y1: 0, y2: HIGH, class: 'zero' })] : []),
  );
}
