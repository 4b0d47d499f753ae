import './why.css';
import { h, s } from '../../controls/dom';

/** One way to split the product b · a = 1 of two numbers, the smallest LoRA there is. */
interface Split {
  b: number;
  a: number;
}

const splits: readonly Split[] = [
  { b: 1, a: 1 },
  { b: 0.1, a: 10 },
];

/**
 * How far one step at rate η moves the product w = b · a along its own slope g = dL/dw, in units of η g, to first order:
 * db = −η g a and da = −η g b give dw = −η g (a² + b²); with the preconditioner db = −η g a / a² and da = −η g b / b²
 * give dw = −2 η g.
 */
export function stepOf({ a, b }: Split, preconditioned: boolean): number {
  return preconditioned ? 2 : a * a + b * b;
}

/** What goes wrong with one learning rate for two factors, in a sentence and a picture; the formula one step deeper. */
export function why(): HTMLElement {
  return h(
    'div',
    { class: 'why', id: 'why' },
    h('h3', {}, 'Why a preconditioner'),
    h(
      'p',
      {},
      'LoRA learns two factors, and only their product counts. With one learning rate, how far a step moves the ' +
        'product depends on how it happens to be split; the preconditioner takes that away.',
    ),
    picture(),
    h(
      'details',
      {},
      h('summary', {}, 'The formula'),
      h(
        'p',
        {},
        'Each gradient is multiplied by the inverse of a small matrix of the other factor, rank × rank, before SGD or ' +
          'AdamW sees it: ',
        h('span', { class: 'formula' }, 'G_A ← (BᵀB + δI)⁻¹ G_A,  G_B ← G_B (AAᵀ + δI)⁻¹'),
        '. Then ΔW = (alpha / rank) · B · A moves along its own slope, whatever the scales of B and A; the damping δ ' +
          'keeps the inverse small where a factor is still near 0. What that does to the number of steps shows best ' +
          'where everything is known: in the ',
        h('a', { href: '#theory' }, 'Theory tab'),
        '.',
      ),
    ),
  );
}

function picture(): HTMLElement {
  const longest = Math.max(...splits.map((split) => stepOf(split, false)));
  const rows = [false, true].flatMap((preconditioned) =>
    splits.map((split) => ({ ...split, preconditioned, step: stepOf(split, preconditioned) })),
  );
  const body = rows.map(({ a, b, preconditioned, step }) => {
    const method = preconditioned ? 'preconditioned' : 'plain';
    const words = step === 2 ? '2 η' : `${Math.round(step)} η`;
    const bar = s('svg', { viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    bar.append(s('rect', { width: (100 * step) / longest, height: 6, rx: 1 }) as Node);
    return h(
      'tr',
      { class: `why-${method}` },
      h('th', { scope: 'row' }, method),
      h('td', {}, `${b} × ${a}`),
      h('td', { class: 'why-bar' }, bar as unknown as HTMLElement),
      h('td', { class: 'why-step' }, words),
    );
  });
  return h(
    'table',
    { class: 'why-picture' },
    h('caption', {}, 'The product 1 as b × a, and how far one step moves it along its slope'),
    h('tbody', {}, ...body),
  );
}
