import { ExperimentMetrics } from './experiment-metrics';
import { type Quantity, quantities } from './quantities';
import type { ValidationPoint } from './run-series';

/** Curves as bytes, and what is needed to read them. */
export interface PackedMetrics {
  steps: number;
  runs: PackedRun[];
  /** Losses of all runs as f64, then all that was measured as f32, then that of layers; NaN is a gap. */
  bytes: Uint8Array<ArrayBuffer>;
}

interface PackedRun {
  /** How many steps it has. */
  length: number;
  measured: Quantity[];
  /** Of which steps how many numbers of layers are there; trainings of before had none. */
  layers?: { steps: number[]; numbers: number };
  validation: ValidationPoint[];
  lr: number;
  divergedAt: number | null;
}

/** All curves up to `stepOf` each run; what came later is done again from there. */
export function packMetrics(metrics: ExperimentMetrics, stepOf: (run: number) => number): PackedMetrics {
  const runs = metrics.runs.map((series, index): PackedRun => {
    const length = Math.min(stepOf(index), series.losses.length);
    const diverged = series.divergedAt !== null && series.divergedAt <= length;
    return {
      length,
      measured: quantities.filter((quantity) => !series.track(quantity).empty),
      layers: {
        steps: series.layers.steps.filter((step) => step <= length),
        numbers: series.layers.column(series.layers.steps[0] ?? 1).length,
      },
      validation: series.validation.filter(({ step }) => step <= length),
      lr: series.track('lr').at(length) ?? series.lr,
      divergedAt: diverged ? series.divergedAt : null,
    };
  });
  const { losses, tracks, bytes } = layout(runs);
  let loss = 0;
  let track = 0;
  for (const [index, { length, measured }] of runs.entries()) {
    const series = metrics.runs[index];
    if (series === undefined) continue;
    for (let step = 1; step <= length; step += 1) losses[loss++] = series.losses[step - 1] ?? Number.NaN;
    for (const quantity of measured) {
      for (let step = 1; step <= length; step += 1) {
        tracks[track++] = series.track(quantity).at(step) ?? Number.NaN;
      }
    }
  }
  for (const [index, { layers }] of runs.entries()) {
    for (const step of layers?.steps ?? []) {
      const column = metrics.runs[index]?.layers.column(step) ?? [];
      tracks.set(column, track);
      track += column.length;
    }
  }
  return { steps: metrics.steps, runs, bytes };
}

/** The curves again; null where the bytes are not as many as they should be. */
export function unpackMetrics({ steps, runs, bytes }: PackedMetrics): ExperimentMetrics | null {
  const packed = layout(runs);
  if (packed.bytes.byteLength !== bytes.byteLength) return null;
  packed.bytes.set(bytes);
  const metrics = new ExperimentMetrics(runs.length, steps);
  let loss = 0;
  let track = 0;
  for (const [index, run] of runs.entries()) {
    const series = metrics.runs[index];
    if (series === undefined) continue;
    for (let step = 1; step <= run.length; step += 1) series.losses.push(known(packed.losses[loss++]));
    for (const quantity of run.measured) {
      for (let step = 1; step <= run.length; step += 1) {
        series.track(quantity).record(step, known(packed.tracks[track++]));
      }
    }
    series.validation.push(...run.validation);
    series.lr = run.lr;
    series.divergedAt = run.divergedAt;
  }
  for (const [index, { layers }] of runs.entries()) {
    for (const step of layers?.steps ?? []) {
      const numbers = layers?.numbers ?? 0;
      metrics.runs[index]?.layers.put(step, packed.tracks.slice(track, track + numbers));
      track += numbers;
    }
  }
  return metrics;
}

function layout(runs: readonly PackedRun[]) {
  const losses = runs.reduce((sum, { length }) => sum + length, 0);
  const ofLayers = (layers: PackedRun['layers']) => (layers?.steps.length ?? 0) * (layers?.numbers ?? 0);
  const tracks = runs.reduce(
    (sum, { length, measured, layers }) => sum + length * measured.length + ofLayers(layers),
    0,
  );
  const buffer = new ArrayBuffer(
    losses * Float64Array.BYTES_PER_ELEMENT + tracks * Float32Array.BYTES_PER_ELEMENT,
  );
  return {
    losses: new Float64Array(buffer, 0, losses),
    tracks: new Float32Array(buffer, losses * Float64Array.BYTES_PER_ELEMENT, tracks),
    bytes: new Uint8Array(buffer),
  };
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
