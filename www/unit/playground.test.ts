import { describe, expect, test } from 'vitest';
import { rateOf } from '../src/language/samples/samples';
import { heatOf, heatScale, lossDifference, meanLoss } from '../src/language/tokens/heat';
import { rate } from '../src/words/numbers';
import { parseStops, writeStops } from '../src/words/stop-strings';

describe('stop strings', () => {
  test('are one a line, with signs for line ends and tabs', () => {
    expect(parseStops('.\n\n\\n\\n\n User:\na\\\\nb\\q')).toEqual(['.', '\n\n', ' User:', 'a\\nb\\q']);
    expect(parseStops('')).toEqual([]);
  });

  test('are written as they are read', () => {
    const stops = ['.', '\n', 'a\tb', '\\n', ' \\\\ '];
    expect(parseStops(writeStops(stops))).toEqual(stops);
  });
});

describe('colours of losses', () => {
  test('end at a round number that nearly all losses are below', () => {
    expect(heatScale([null, 0.3, 3.2, 1], false)).toEqual({ limit: 4, signed: false });
    expect(heatScale([-0.15, 0.01], true)).toEqual({ limit: 0.2, signed: true });
    expect(heatScale([], false).limit).toBe(0.1);
    expect(heatScale([100], false).limit).toBe(10);
    // One among a hundred does not decide.
    expect(heatScale([...Array(99).fill(0.4), 9], false).limit).toBe(0.5);
  });

  test('are as strong as the loss, at most 1', () => {
    const scale = { limit: 4, signed: true };
    expect([0, 1, -2, 8].map((value) => heatOf(value, scale))).toEqual([0, 0.25, 0.5, 1]);
  });

  test('means are over known losses of tokens that count', () => {
    expect(meanLoss([null, 1, 2, 9], [true, true, true, false])).toBe(1.5);
    expect(meanLoss([null, 1], [true, false])).toBeNull();
  });

  test('a difference needs both', () => {
    expect(lossDifference([null, 1, 3], [null, 2, null])).toEqual([null, -1, null]);
  });
});

test('speed counts the tokens after the first', () => {
  const answer = { run: null, text: '', done: true, divergedAt: null, firstAt: 1000 };
  expect(rateOf({ ...answer, tokens: 11, lastAt: 3000 })).toBe(5);
  expect(rateOf({ ...answer, tokens: 1, lastAt: 1000 })).toBeNull();
  expect([0.123, 7.26, 128.4].map(rate)).toEqual(['0.12', '7.3', '128']);
});
