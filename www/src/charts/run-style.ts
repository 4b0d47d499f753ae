import './run-style.css';
import { h, s } from '../controls/dom';

/** How many runs look different from each other. */
export const STYLES = 8;

// Lengths of dash and gap in CSS pixels. With the colours (`page/tokens.css`: --run-0 …), each run has two marks.
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

/** Dash pattern of a run; empty is a solid line. */
export function dashOf(style: number): number[] {
  return [...(dashes[style % STYLES] ?? [])];
}

/** Colour of a run as CSS. */
export function colourOf(style: number): string {
  return `var(--run-${style % STYLES})`;
}

/** The first look that no run of the table has yet. */
export function freeStyle(taken: readonly number[]): number {
  const free = Array.from({ length: STYLES }, (_, style) => style).find((style) => !taken.includes(style));
  return free ?? taken.length % STYLES;
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
