import { describe, expect, test } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { shownRuns } from '../src/experiment/comparison/shown-runs';
import { quantityState, quantitySummary, trainingState } from '../src/experiment/curves/chart-state';
import { quantityWords } from '../src/experiment/curves/quantity-words';
import { ExperimentMetrics } from '../src/metrics/experiment-metrics';
import { Pace } from '../src/metrics/pace';
import { quantities } from '../src/metrics/quantities';
import { RunSeries } from '../src/metrics/run-series';
import { smooth } from '../src/metrics/smooth';
import { Track } from '../src/metrics/track';
import type { RunReport, StepReport } from '../src/protocol';
import { diagnosticsOf } from './fake-worker';

const run = (loss: number | null, diverged_at: number | null = null): RunReport => ({
  loss,
  grad_norm: loss,
  lr: 1e-3,
  diverged_at,
  diagnostics: null,
});

function report(step: number, losses: (number | null)[]): StepReport {
  const seconds = { forward: 1, backward: 2, precondition: 0.5, update: 0.5, total: 4 };
  const runs = losses.map((loss) => run(loss));
  return { step, runs, tokens: 100, counted_tokens: 50, seconds, memory_bytes: 1000 };
}

describe('smoothing', () => {
  test('keeps the first value and constants', () => {
    expect(smooth([3], 0.9)).toEqual([3]);
    for (const value of smooth([2, 2, 2], 0.9)) expect(value).toBeCloseTo(2, 12);
  });

  test('is the weighted mean of all before', () => {
    const [, second] = smooth([1, 4], 0.5);
    expect(second).toBeCloseTo((0.25 * 1 + 0.5 * 4) / 0.75, 12);
  });

  test('weight 0 changes nothing, and gaps stay gaps', () => {
    expect(smooth([1, null, 5], 0)).toEqual([1, null, 5]);
    const [, , third] = smooth([1, Number.NaN, 1], 0.9);
    expect(third).toBeCloseTo(1, 12);
  });
});

describe('a run', () => {
  test('knows its first, last and best', () => {
    const series = new RunSeries();
    [3, 2, 1].forEach((loss, index) => {
      series.record(index + 1, run(loss));
    });
    series.recordValidation(0, 3);
    series.recordValidation(2, 1.5);
    series.recordValidation(3, 1.7);
    expect([series.firstLoss, series.lastLoss]).toEqual([3, 1]);
    expect(series.bestValidation).toEqual({ step: 2, loss: 1.5 });
    expect(series.lastValidation).toEqual({ step: 3, loss: 1.7 });
  });

  test('overwrites steps that are done again', () => {
    const series = new RunSeries();
    for (const step of [1, 2, 3, 2, 3]) series.record(step, run(10 - step));
    series.recordValidation(2, 5);
    series.recordValidation(3, 4);
    series.recordValidation(2, 6);
    expect(series.losses).toEqual([9, 8, 7]);
    expect(series.validation).toEqual([
      { step: 2, loss: 6 },
      { step: 3, loss: 4 },
    ]);
  });

  test('keeps its last finite loss when it diverges', () => {
    const series = new RunSeries();
    series.record(1, run(4));
    series.record(2, run(null, 2));
    series.recordValidation(2, null);
    expect(series.lastLoss).toBe(4);
    expect(series.divergedAt).toBe(2);
    expect(series.bestValidation).toBeNull();
  });
});

describe('a track', () => {
  test('keeps gaps, overwrites, and grows', () => {
    const track = new Track();
    track.record(1, null);
    expect(track.empty).toBe(true);
    track.record(3, 0.5);
    track.record(1000, 8);
    track.record(3, 0.25);
    expect(track.upTo(4)).toEqual([null, null, 0.25, null]);
    expect([track.first, track.last, track.at(1000), track.at(1001)]).toEqual([0.25, 8, 8, null]);
    track.record(1000, null);
    expect(track.last).toBe(0.25);
  });

  test('holds no number that is not finite', () => {
    const track = new Track();
    track.record(1, Number.POSITIVE_INFINITY);
    track.record(2, 1e300);
    expect([track.first, track.last]).toEqual([null, null]);
  });
});

describe('diagnostics', () => {
  const measured = (steps: number, diagnoses: boolean) => {
    const metrics = new ExperimentMetrics(2, 10);
    for (let step = 1; step <= steps; step += 1) {
      const { runs, ...rest } = report(step, [3, 2]);
      const told = runs.map((one) => ({ ...one, diagnostics: diagnoses ? diagnosticsOf(step) : null }));
      metrics.recordStep([0, 1], { ...rest, runs: told }, step, 1);
    }
    return metrics;
  };
  const { runs } = defaultConfig();
  const plain = { smoothing: 0, logScale: false };
  const all = (metrics: ExperimentMetrics) => shownRuns(runs, metrics, { compared: 'all', comparedLr: null });

  test('each quantity is a curve for every run', () => {
    const metrics = measured(4, true);
    for (const quantity of quantities) {
      const { curves, steps } = quantityState(metrics, all(metrics), quantity, plain);
      expect(steps).toEqual([1, 2, 3, 4]);
      expect(curves).toHaveLength(2);
      expect(curves[0]?.values[3]).not.toBeNull();
      expect(quantityWords[quantity].about).toMatch(/\.$/);
    }
    const curve = (quantity: 'condition_a' | 'norm_b', logScale: boolean) =>
      quantityState(metrics, all(metrics), quantity, { ...plain, logScale }).curves[1]?.values;
    expect(curve('condition_a', true)).toEqual([null, 100, 1000, 10_000]);
    expect(curve('norm_b', false)).toEqual([0, 1, 2, 3]);
    // A logarithm has no place for 0.
    expect(curve('norm_b', true)).toEqual([null, 1, 2, 3]);
    expect(quantitySummary(all(metrics), 'norm_delta')).toContain('AdamW: from 0 to 6.000.');
  });

  test('are empty where they are switched off, but for gradient norm and lr', () => {
    const metrics = measured(3, false);
    const there = quantities.filter((quantity) => !metrics.runs[0]?.track(quantity).empty);
    expect(there).toEqual(['grad_norm', 'lr']);
    expect(quantitySummary(all(metrics), 'norm_a')).toContain('not measured');
  });

  test('a run that diverges does not flatten the others', () => {
    const metrics = measured(2, true);
    const wild = { ...run(1e9, 3), diagnostics: { ...diagnosticsOf(3), norm_a: 1e30 } };
    metrics.runs[1]?.record(3, wild);
    expect(quantityState(metrics, all(metrics), 'norm_a', plain).ceiling).toBe(5);
  });

  test('are thinned to what a chart can show, with every spike and the last step', () => {
    const metrics = new ExperimentMetrics(2, 10_000);
    for (let step = 1; step <= 10_000; step += 1) {
      metrics.runs[0]?.record(step, run(step === 4321 ? 99 : 2));
      metrics.runs[1]?.record(step, run(step === 8765 ? 0.01 : 3));
    }
    for (const smoothing of [0, 0.5]) {
      const view = { smoothing, logScale: false };
      for (const state of [
        trainingState(metrics, all(metrics), view),
        quantityState(metrics, all(metrics), 'grad_norm', view),
      ]) {
        expect(state.steps.length).toBeLessThanOrEqual(3000);
        expect([state.steps[0], state.steps.at(-1)]).toEqual([1, 10_000]);
        expect(state.curves[0]?.values[state.steps.indexOf(4321)]).toBe(99);
        expect(state.curves[1]?.values[state.steps.indexOf(8765)]).toBeCloseTo(0.01, 6);
      }
    }
  });
});

describe('pace', () => {
  test('is wall time a step, without pauses', () => {
    const pace = new Pace();
    expect(pace.secondsPerStep).toBeNull();
    pace.begin(0);
    pace.record(2000);
    pace.pause();
    pace.begin(100_000);
    pace.record(104_000);
    expect(pace.secondsPerStep).toBe(3);
    expect(pace.remaining(10)).toBe(30);
    expect(pace.remaining(-1)).toBe(0);
  });
});

describe('an experiment over two workers', () => {
  test('puts reports to the runs of their worker', () => {
    const metrics = new ExperimentMetrics(3, 10);
    metrics.pace.begin(0);
    metrics.recordStep([0, 2], report(1, [5, 6]), 1000, 2);
    expect(metrics.pace.secondsPerStep).toBeNull();
    metrics.recordStep([1], report(1, [7]), 2000, 2);
    expect(metrics.runs.map((series) => series.lastLoss)).toEqual([5, 7, 6]);
    expect(metrics.pace.secondsPerStep).toBe(2);
    expect(metrics.tokensPerSecond).toBe(150);
    expect(metrics.memory).toBe(2000);
    expect(metrics.step).toBe(1);
    expect(metrics.stepTimes?.total).toBe(4);
  });
});
