import { describe, expect, test } from 'vitest';
import {
  layerMapState,
  layerNames,
  layerSummary,
  layerValues,
} from '../src/experiment/curves/layer-map-state';
import { layerMapSvg } from '../src/experiment/curves/layer-map-svg';
import { LayerTrack, MOST_COLUMNS } from '../src/metrics/layer-track';
import { layersOf } from './fake-worker';

function trackOf(steps: number): LayerTrack {
  const track = new LayerTrack();
  for (let step = 1; step <= steps; step += 1) track.record(step, layersOf(step));
  return track;
}

describe('numbers of layers', () => {
  test('are kept at steps that lie evenly, the first among them, and never at too many', () => {
    const few = trackOf(5);
    expect(few.steps).toEqual([1, 2, 3, 4, 5]);
    expect(few.layers).toBe(2);
    expect(few.at(3, 'norm_b')).toEqual([2, 4]);
    expect(few.at(1, 'condition_a')).toEqual([null, null]);

    const many = trackOf(1000);
    const distance = (many.steps[1] ?? 0) - 1;
    expect(many.steps.length).toBeLessThanOrEqual(MOST_COLUMNS);
    expect(many.steps.length).toBeGreaterThan(MOST_COLUMNS / 2);
    expect(many.steps).toEqual(many.steps.map((_, index) => 1 + index * distance));
    for (const step of many.steps) expect(many.at(step, 'norm_b')).toEqual([step - 1, 2 * (step - 1)]);
  });

  test('of a step that is done again are the later ones, and of one that was not measured there are none', () => {
    const track = trackOf(3);
    track.record(2, { ...layersOf(2), norm_a: [7, 9] });
    track.record(4, null);
    expect(track.steps).toEqual([1, 2, 3]);
    expect(track.at(2, 'norm_a')).toEqual([7, 9]);
    expect(track.at(9, 'norm_a')).toEqual([]);
  });
});

describe('the map of layers', () => {
  test('gives equal ratios equal steps of colour, and no colour to what has no logarithm', () => {
    const state = layerMapState(trackOf(5), 'norm_b');
    // From 1 in the first layer at step 2 to 8 in the second at step 5.
    expect(state.span).toEqual([1, 8]);
    expect(state.shares[0]).toEqual([null, null]);
    expect(state.shares[1]?.[0]).toBeCloseTo(0, 9);
    expect(state.shares[1]?.[1]).toBeCloseTo(1 / 3, 9);
    expect(state.shares[4]?.[1]).toBeCloseTo(1, 9);
  });

  test('shows shares from 0 to 1, whatever they are', () => {
    const state = layerMapState(trackOf(4), 'undamped_a');
    expect(state.span).toEqual([0, 1]);
    expect(state.shares[3]?.[0]).toBeCloseTo(0.75, 6);
    expect(state.shares[0]?.[0]).toBe(0);
  });

  test('shows how far layers are from where the flow began', () => {
    expect(layerValues(trackOf(3), 'log_det_ratio')).toEqual([
      [0, 0],
      [1, 2],
      [2, 4],
    ]);
  });

  test('is told in words, and drawn for a file', () => {
    const track = trackOf(3);
    const names = layerNames(2, ['q_proj', 'v_proj']);
    expect(names).toEqual(['0 q_proj', '0 v_proj']);
    expect(layerNames(3, ['q_proj', 'v_proj'])[2]).toBe('layer 2');
    expect(layerSummary(track, 'norm_delta', names)).toBe(
      'Norm of ΔW of 2 layers over steps. At step 3 highest in 0 v_proj (8), lowest in 0 q_proj (4).',
    );
    expect(layerSummary(new LayerTrack(), 'norm_delta', [])).toContain('nothing to show yet');
    const look = { ground: '#fff', ink: '#000', quietInk: '#666', grid: '#eee', font: 'serif' };
    const colours = { colourOf: () => '#00f', dashOf: () => [] };
    const { svg } = layerMapSvg(
      'A <map>',
      layerMapState(track, 'norm_b'),
      names,
      { ...look, ...colours },
      (share) => `rgb(${Math.round(255 * share)} 0 0)`,
    );
    expect(svg).toContain('A &lt;map&gt;');
    // Two layers at two of the three steps; at the first lora_b is 0.
    expect(svg.match(/height="16.3"/g)).toHaveLength(4);
    expect(svg).toContain('0 v_proj');
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
