import { describe, expect, test } from 'vitest';
import { baseLabelPlace } from '../src/charts/robustness/base-label';
import { freePlace } from '../src/charts/robustness/free-place';
import {
  bandsOf,
  lossRange,
  marksOf,
  type RobustnessState,
  valueRange,
  valuesOf,
} from '../src/charts/robustness/robustness-state';
import { robustnessSvg } from '../src/charts/robustness/robustness-svg';
import type { PictureLook } from '../src/charts/svg-document';

const look: PictureLook = {
  ground: 'white',
  ink: 'black',
  quietInk: 'grey',
  grid: 'silver',
  font: 'sans-serif',
  colourOf: (style) => `rgb(${style}, 1, 1)`,
  dashOf: () => [],
};

const state: RobustnessState = {
  lines: [
    {
      style: 0,
      points: [
        { value: 1e-3, loss: 2 },
        { value: 1e-2, loss: 1 },
        { value: 1e-1, loss: null },
      ],
      best: 1e-2,
    },
    {
      style: 1,
      points: [
        { value: 1e-3, loss: 2.5 },
        { value: 1e-1, loss: 90 },
      ],
      best: 1e-3,
    },
  ],
  baseLoss: 3,
  ceiling: 3.9,
};

describe('what the robustness chart shows', () => {
  test('spans all values, and the losses that are of use', () => {
    expect(valuesOf(state)).toEqual([1e-3, 1e-2, 1e-1]);
    const [left, right] = valueRange([1e-3, 1e-1]);
    expect(left * right).toBeCloseTo(1e-4, 12);
    expect(left).toBeLessThan(1e-3);
    const [low, high] = lossRange(state);
    expect(low).toBeLessThan(1);
    expect(high).toBeGreaterThan(3);
    expect(high).toBeLessThan(3.9);
  });

  test('a run is a point, a cross where it diverged, an arrow where it is far above', () => {
    const kinds = marksOf(state).map(({ kind, row, best }) => [kind, row, best]);
    expect(kinds).toEqual([
      ['point', 0, false],
      ['point', 0, true],
      ['cross', 0, false],
      ['point', 1, true],
      ['arrow', 1, false],
    ]);
  });
});

describe('a band', () => {
  const line = (points: RobustnessState['lines'][number]['points']) => ({ style: 0, points, best: null });

  test('goes along the highest seeds and back along the lowest, and no higher than the chart', () => {
    const points = [
      { value: 1, loss: 2, range: [1, 3] as const },
      { value: 2, loss: 5, range: [2, 9] as const },
    ];
    expect(bandsOf(line(points), 4)).toEqual([
      [
        { value: 1, loss: 3 },
        { value: 2, loss: 4 },
        { value: 2, loss: 2 },
        { value: 1, loss: 1 },
      ],
    ]);
    expect(lossRange({ lines: [line(points)], baseLoss: null, ceiling: 4 })[0]).toBeLessThan(1);
  });

  test('ends where there is one seed, or where one diverged', () => {
    const seeds = (value: number) => ({ value, loss: 2, range: [1, 3] as const });
    const points = [seeds(1), { value: 2, loss: null }, seeds(3), { value: 4, loss: 2 }];
    expect(bandsOf(line(points), 4).map((outline) => outline.map(({ value }) => value))).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(bandsOf(line([{ value: 4, loss: 2 }]), 4)).toEqual([]);
  });
});

describe('the label of the base', () => {
  const text = { width: 60, size: 12 };
  const axis = { left: 0, right: 400 };

  test('stands at the right end, above its line, where nothing is there', () => {
    expect(baseLabelPlace(100, axis, text, [])).toMatchObject({ left: 336, baseline: 95 });
  });

  test('goes below, and then to the left, where marks are in its way', () => {
    const above = { x: 370, y: 90 };
    expect(baseLabelPlace(100, axis, text, [above])).toMatchObject({ left: 336, baseline: 117 });
    const below = { x: 350, y: 110 };
    expect(baseLabelPlace(100, axis, text, [above, below])).toMatchObject({ left: 4, baseline: 95 });
  });

  test('takes the place with the fewest marks where all have some', () => {
    const boxes = [
      { left: 0, top: 0, width: 10, height: 10 },
      { left: 20, top: 0, width: 10, height: 10 },
    ];
    const spots = [
      { x: 1, y: 1 },
      { x: 2, y: 2 },
      { x: 25, y: 5 },
    ];
    expect(freePlace(boxes, spots, 0)).toBe(boxes[1]);
    expect(freePlace([], spots, 0)).toBeUndefined();
  });
});

describe('the picture of the robustness chart', () => {
  const legend = [
    { style: 0, name: 'AdamW' },
    { style: 1, name: 'A & B' },
  ];
  const svg = robustnessSvg({ title: 'Validation loss', varied: 'learning rate', state, legend }, look);

  test('has a point a run, a ring a method, and the base', () => {
    const points = svg.split('clip-path')[1] ?? '';
    // Three runs have a place; the legend's points come before.
    expect(points.match(/scale\(5\.5\)/g)).toHaveLength(3);
    expect(points.match(/<circle/g)).toHaveLength(2);
    expect(svg).toContain('base 3.000');
    expect(svg).toContain('>learning rate</text>');
    expect(svg).toContain('>A &amp; B</text>');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('a lower loss is lower, and a run that diverged ends the line', () => {
    const path = /<path d="(M[^"]+)" stroke="rgb\(0, 1, 1\)" stroke-width="2.25"/.exec(svg)?.[1] ?? '';
    const places = path.slice(1).split('L');
    expect(places).toHaveLength(2);
    const [first = 0, second = 0] = places.map((place) => Number(place.split(' ')[1]));
    expect(second).toBeGreaterThan(first);
    // The other method was not tried in the middle: its one point that has a place makes no line.
    expect(/<path d="M[^"L]+L[^"]+" stroke="rgb\(1, 1, 1\)" stroke-width="2.25"/.test(svg)).toBe(true);
  });
});
