import './run-style.css';
import { h, s } from '../controls/dom';

/** How many colours there are, and how many dashes. */
export const STYLES = 8;

// Lengths of dash and gap in CSS pixels.
const dashes: readonly (readonly number[])[] = [
  [],
  [8, 4],
  [2, 3],
  [10, 3, 2, 3],
  [16, 4],
  [5, 2],
  [8, 3, 2, 3, 2, 3],
  [1, 4],
];

/**
 * A look is a number. The first eight differ in colour and in dash, so that each run has two marks; the eight from 8 on
 * have the same colours with a solid line, those from 16 on with the next dash, for runs of one method at several
 * learning rates.
 */
export function styleOf(method: number, place: number): number {
  return (method % STYLES) + STYLES * (1 + (place % STYLES));
}

/** Dash pattern of a run; empty is a solid line. */
export function dashOf(style: number): number[] {
  const dash = style < STYLES ? style : Math.floor(style / STYLES) - 1;
  return [...(dashes[dash % STYLES] ?? [])];
}

/** Colour of a run as CSS, of the page's tokens: --run-0 to --run-7. */
export function colourOf(style: number): string {
  return `var(--run-${style % STYLES})`;
}

/** The first look that no run of the table has yet. */
export function freeStyle(taken: readonly number[]): number {
  const looks = new Set(taken.map(lookOf));
  const all = Array.from({ length: STYLES * (STYLES + 1) }, (_, style) => style);
  return all.find((style) => !looks.has(lookOf(style))) ?? taken.length % STYLES;
}

/** Equal for styles that look the same. */
function lookOf(style: number): string {
  return `${colourOf(style)} ${dashOf(style)}`;
}

/** A short piece of the run's line. */
export function swatch(style: number): HTMLElement {
  const line = s('line', {
    x1: 1,
    y1: 6,
    x2: 35,
    y2: 6,
    'stroke-width': 3,
    'stroke-dasharray': dashOf(style).join(' '),
  });
  line.style.stroke = colourOf(style);
  return h(
    'span',
    { class: 'swatch', 'aria-hidden': 'true' },
    s('svg', { viewBox: '0 0 36 12' }, line) as Node,
  );
}
