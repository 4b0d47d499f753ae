import { expect, test } from 'vitest';
import { wholeLetters } from '../src/language/tokens/whole-letters';

const shown = (...texts: (string | [string])[]) =>
  wholeLetters(
    texts.map((text) =>
      typeof text === 'string' ? { text, counts: false } : { text: text[0], counts: true },
    ),
  ).map(({ text, tokens, counts }) => `${text}${counts ? '!' : ''}×${tokens}`);

test('tokens of plain words stay as they are', () => {
  expect(shown('a', ' cat', '\n', ['sat'])).toEqual(['a×1', ' cat×1', '\n×1', 'sat!×1']);
  expect(shown()).toEqual([]);
});

test('bytes of one letter are one piece, with the number of their tokens', () => {
  // The letter stands with its last token.
  expect(shown('a', '', 'ش', 'b')).toEqual(['a×1', 'ش×2', 'b×1']);
  expect(shown('', '', '😀')).toEqual(['😀×3']);
});

test('signs that make one emoji, and letters with their marks, are one piece', () => {
  expect(shown('x', '👩', '\u200d', '🔬', 'y')).toEqual(['x×1', '👩\u200d🔬×3', 'y×1']);
  expect(shown('ש', '\u05c1', 'ל')).toEqual(['ש\u05c1×2', 'ל×1']);
});

test('a border of the loss within a letter is shown', () => {
  expect(shown('e', ['\u0301'])).toEqual(['e×1', '\u0301!×1']);
  expect(shown('', ['ش'])).toEqual(['×1', 'ش!×1']);
});
