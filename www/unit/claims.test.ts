import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cardsOf } from '../src/claims/cards';
import type { ClaimFigures } from '../src/claims/figures';
import { figuresOf } from './claims-figures';

const file = join(import.meta.dirname, '../src/claims/figures.json');

test('the figures are those of the committed results (UPDATE=1 writes them)', () => {
  const now = figuresOf();
  if (process.env.UPDATE) writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(now);
});

const figures: ClaimFigures = figuresOf();
const card = (id: string, of: ClaimFigures = figures) => {
  const found = cardsOf(of).find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};

test('every card says what the paper says, what was found, its limits and what others report', () => {
  const cards = cardsOf(figures);
  expect(cards).toHaveLength(8);
  for (const { id, said, found, limits, beside } of cards) {
    for (const words of [said, found, limits, beside]) expect(words, id).toMatch(/\.$/);
  }
});

test('without a study the claims that it decides are open, whatever a first look found', () => {
  const without = { ...figures, study: null };
  for (const id of ['sgd', 'adamw', 'robust', 'rank']) {
    expect(card(id, without).verdict, id).toBe('open');
    expect(card(id, without).limits, id).toContain('not finished');
  }
});

test('a study decides', () => {
  const pair = (better: never, robust: never) => ({ better, robust });
  const study = {
    pairs: {
      sgd_pair: pair('confirmed' as never, 'confirmed' as never),
      adamw_pair: pair('refuted' as never, 'unresolved' as never),
    },
  };
  const decided = { ...figures, study };
  expect(card('sgd', decided).verdict).toBe('holds here');
  expect(card('adamw', decided).verdict).toBe('does not hold here');
  expect(card('robust', decided).verdict).toBe('holds in part');
  expect(card('sgd', decided).limits).not.toContain('not finished');
});

test('verdicts follow from numbers', () => {
  expect(card('overhead').verdict).toBe('holds here');
  expect(card('overhead', { ...figures, overhead: { 8: 1.2 } }).verdict).toBe('does not hold here');
  expect(card('condition').verdict).toBe('holds in part');
  const free = { 1: 10, 10: 10, 100: 11 };
  const theory = { change: { gd: free, scaled: free }, data: { scaled: free } };
  expect(card('condition', { ...figures, theory }).verdict).toBe('holds here');
  expect(card('width').verdict).toBe('holds in part');
  const flat = { adam: -0.5, gradientScaled: 0.01, updateScaled: 0 };
  expect(card('width', { ...figures, width: flat }).verdict).toBe('holds here');
});

test('an interval of a difference has its mean inside, and the worse method is not called better', () => {
  for (const { difference, low, high, plainLoss, preconditionedLoss } of figures.firstMinute) {
    expect(low).toBeLessThan(difference);
    expect(high).toBeGreaterThan(difference);
    expect(Math.sign(difference)).toBe(Math.sign(preconditionedLoss - plainLoss));
  }
});
