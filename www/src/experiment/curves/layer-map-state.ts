import { tick } from '../../charts/chart-scale';
import type { LayerQuantity, LayerTrack } from '../../metrics/layer-track';
import { layerWords } from './layer-words';

/** A map of layers over steps. */
export interface LayerMapState {
  steps: readonly number[];
  /** Of each step and each layer where its colour lies between the lowest, 0, and the highest, 1; null has none. */
  shares: (number | null)[][];
  /** What the colours span; null where there is nothing to colour. */
  span: readonly [number, number] | null;
}

/** What is shown of a quantity at each kept step, layer by layer. */
export function layerValues(track: LayerTrack, quantity: LayerQuantity): (number | null)[][] {
  const { fromStart, log } = layerWords[quantity];
  const start = track.at(track.steps[0] ?? 1, quantity);
  return track.steps.map((step) =>
    track.at(step, quantity).map((value, layer) => {
      if (value === null || (log && value <= 0)) return null;
      if (fromStart !== true) return value;
      const first = start[layer] ?? null;
      return first === null ? null : Math.abs(value - first);
    }),
  );
}

/** The map of one quantity. */
export function layerMapState(track: LayerTrack, quantity: LayerQuantity): LayerMapState {
  const { log, span: known } = layerWords[quantity];
  const values = layerValues(track, quantity);
  const seen = values.flat().filter((value) => value !== null);
  if (seen.length === 0) return { steps: track.steps, shares: values, span: null };
  const [low, high] = known ?? [seen.reduce(smaller), seen.reduce(larger)];
  const scale = log ? Math.log : (value: number) => value;
  const width = scale(high) - scale(low);
  const share = (value: number) =>
    width === 0 ? 0 : Math.min(1, Math.max(0, (scale(value) - scale(low)) / width));
  return {
    steps: track.steps,
    shares: values.map((column) => column.map((value) => (value === null ? null : share(value)))),
    span: [low, high],
  };
}

/** What each layer is called: `3 q_proj` is the q_proj of block 3. */
export function layerNames(layers: number, targets: readonly string[]): string[] {
  const whole = targets.length > 0 && layers % targets.length === 0;
  return Array.from({ length: layers }, (_, layer) =>
    whole ? `${Math.floor(layer / targets.length)} ${targets[layer % targets.length]}` : `layer ${layer}`,
  );
}

/** The map in words: where it is highest at its last step. */
export function layerSummary(track: LayerTrack, quantity: LayerQuantity, names: readonly string[]): string {
  const { name } = layerWords[quantity];
  const last = layerValues(track, quantity).at(-1) ?? [];
  const step = track.steps.at(-1);
  const ranked = last
    .flatMap((value, layer) => (value === null ? [] : [{ value, name: names[layer] ?? '' }]))
    .sort((one, other) => other.value - one.value);
  const [highest, lowest] = [ranked[0], ranked.at(-1)];
  if (highest === undefined || lowest === undefined) return `${name} by layer: nothing to show yet.`;
  return (
    `${name} of ${names.length} layers over steps. At step ${step} highest in ${highest.name} (${tick(highest.value)}), ` +
    `lowest in ${lowest.name} (${tick(lowest.value)}).`
  );
}

function smaller(one: number, other: number): number {
  return Math.min(one, other);
}

function larger(one: number, other: number): number {
  return Math.max(one, other);
}
