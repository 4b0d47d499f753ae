import type { TokenPiece } from '../../protocol';

/** Neighbouring tokens as they are shown: none ends within a letter. */
export interface LetterPiece extends TokenPiece {
  /** How many tokens it is made of. */
  tokens: number;
}

/**
 * Puts tokens together that share a letter as people see it, such as an emoji of several signs or a letter with its
 * marks. Tokens of which one counts in the loss and the other does not stay apart.
 */
export function wholeLetters(pieces: readonly TokenPiece[]): LetterPiece[] {
  const text = pieces.map((piece) => piece.text).join('');
  const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text);
  const borders = new Set([...segments].map(({ index }) => index));
  const found: LetterPiece[] = [];
  let at = 0;
  for (const piece of pieces) {
    const before = found.at(-1);
    // A token without text of its own has a part of the letter that the next one ends.
    const joins = before !== undefined && (before.text === '' || !borders.has(at));
    if (joins && at < text.length && before.counts === piece.counts) {
      before.text += piece.text;
      before.tokens += 1;
    } else found.push({ ...piece, tokens: 1 });
    at += piece.text.length;
  }
  return found;
}
