import './preview.css';
import { fill, h } from '../../controls/dom';
import type { TokenPiece } from '../../protocol';
import { plural } from '../../words/numbers';
import { type LetterPiece, wholeLetters } from './whole-letters';

/** Tokenised examples with the loss mask: what counts is tinted and underlined, and said to screen readers. */
export function examplePreview() {
  const list = h('ol', { class: 'examples' });
  const added = h('p', { class: 'hint', id: 'added-by-template' });
  const element = h(
    'details',
    { class: 'preview', open: true },
    h('summary', {}, 'First examples, token by token'),
    h(
      'p',
      { class: 'legend' },
      h('mark', {}, h('span', { class: 'token' }, 'underlined')),
      ' tokens count in the loss.',
    ),
    added,
    h(
      'div',
      { class: 'examples-frame', tabindex: '0', role: 'region', 'aria-label': 'First examples' },
      list,
    ),
  );
  const show = (examples: readonly (readonly TokenPiece[])[], addedByTemplate: string | null) => {
    added.hidden = addedByTemplate === null;
    fill(
      added,
      'The model’s chat template begins every conversation that has no system message with words of its own, which are in no row: ',
      h('span', { class: 'token', dir: 'auto' }, visible(addedByTemplate ?? '')),
    );
    element.hidden = examples.length === 0;
    fill(list, ...examples.map((pieces) => h('li', { dir: 'auto' }, ...stretches(wholeLetters(pieces)))));
  };
  return { element, show };
}

/** Neighbouring tokens that are masked alike share an element. */
function stretches(pieces: readonly LetterPiece[]): HTMLElement[] {
  const found: HTMLElement[] = [];
  let counts: boolean | null = null;
  for (const piece of pieces) {
    if (piece.counts !== counts) {
      counts = piece.counts;
      found.push(
        counts ? h('mark', {}, h('span', { class: 'unseen', dir: 'ltr' }, 'counts: ')) : h('span', {}),
      );
    }
    const title = piece.tokens > 1 ? plural(piece.tokens, 'token') : null;
    found.at(-1)?.append(h('span', { class: 'token', title }, visible(piece.text)));
  }
  return found;
}

/** Line ends are tokens too. */
export function visible(text: string): string {
  return text.replaceAll('\n', '↵\n').replaceAll('\t', '⇥');
}
