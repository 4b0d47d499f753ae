import { writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { benchedWebgpu } from '../chromium';
import { defaultConfig } from '../src/config/defaults';
import type { SampleSettings } from '../src/protocol';
import { BenchPage } from './bench-page';
import { bundledData, moduleOf, sessionPlaces, settingsOf, tinyFiles } from './session-bench';

/** Memory over many steps, evaluations and samples; `scripts/bench soak` says how it is called. */
const output = process.env.SOAK_OUTPUT ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
/** The first ones fill pools. */
const WARM_UP = quick ? 20 : 100;
const STEPS = quick ? 120 : 2000;
const TURNS = quick ? 30 : 300;
/** A software adapter takes seconds for a step. */
const SOFTWARE = quick ? { warmUp: 4, steps: 6, turns: 1 } : { warmUp: 100, steps: 300, turns: 8 };
const SCRIPT = '/session-worker.js';
/** Percent a step. */
const MOST = 0.01;

test.use({
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: benchedWebgpu },
});

type Bytes = [heap: number, gpu: number];

/** Slope of the line of least squares, in percent of the mean a step. */
function slope(values: number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = (values.length - 1) / 2;
  let [product, square] = [0, 0];
  for (const [step, value] of values.entries()) {
    product += (step - middle) * (value - mean);
    square += (step - middle) ** 2;
  }
  return mean === 0 || square === 0 ? 0 : ((product / square) * 100) / mean;
}

test('memory does not grow', async ({ page }) => {
  const bench = await BenchPage.open(page, sessionPlaces);
  const config = defaultConfig();
  const sample: SampleSettings = {
    ...config.sample,
    prompt: 'word : river',
    max_tokens: 8,
    include_base: true,
  };
  const found: Record<string, unknown> = {};
  const figures: Record<string, number> = {};
  const plans = {
    cpu: { warmUp: WARM_UP, steps: STEPS, turns: TURNS },
    webgpu: SOFTWARE,
  };
  for (const [engine, plan] of Object.entries(plans)) {
    const began = performance.now();
    await bench.ask(engine, SCRIPT, 'load', {
      engine: moduleOf(engine),
      files: tinyFiles,
      data: bundledData(200),
      dataSettings: { ...config.data, validation: { count: engine === 'cpu' ? 16 : 1 } },
    });
    const small = engine === 'cpu' ? {} : { batch_size: 1 };
    await bench.ask(engine, SCRIPT, 'configure', settingsOf(2, small));
    const steps: Bytes[] = [];
    while (steps.length < plan.steps) {
      steps.push(
        ...(await bench.ask<Bytes[]>(engine, SCRIPT, 'steps', Math.min(100, plan.steps - steps.length))),
      );
    }
    const turns = await bench.ask<Bytes[]>(engine, SCRIPT, 'turns', {
      count: plan.turns,
      sample: { ...sample, max_tokens: engine === 'cpu' ? 8 : 1 },
    });
    const after = steps.slice(plan.warmUp);
    // The first turn makes what turns need.
    const later = turns.slice(Math.min(plan.warmUp, Math.ceil(plan.turns / 4)));
    const column = (list: Bytes[], index: 0 | 1) => list.map((bytes) => bytes[index]);
    found[engine] = {
      ...plan,
      seconds: Math.round((performance.now() - began) / 1000),
      heap_bytes_after_warm_up: after[0]?.[0],
      heap_bytes_at_the_end: turns.at(-1)?.[0],
      heap_slope_percent_per_step: slope(column(after, 0)),
      heap_slope_percent_per_turn: slope(column(later, 0)),
      gpu_bytes_after_warm_up: after[0]?.[1],
      gpu_bytes_after_steps: after.at(-1)?.[1],
      gpu_bytes_at_the_end: turns.at(-1)?.[1],
      gpu_slope_percent_per_step: slope(column(after, 1)),
    };
    process.stdout.write(`${engine} ${JSON.stringify(found[engine])}\n`);
    if (engine === 'cpu') {
      figures.steps = plan.steps;
      figures.turns = plan.turns;
      figures.heap_slope_percent_per_step = slope(column(after, 0));
      figures.heap_slope_percent_per_turn = slope(column(later, 0));
    } else {
      figures.webgpu_steps = plan.steps;
      figures.webgpu_heap_slope_percent_per_step = slope(column(after, 0));
      figures.gpu_slope_percent_per_step = slope(column(after, 1));
    }
    await bench.endWorkers();
  }
  bench.end();
  if (output !== '') writeFileSync(output, JSON.stringify({ figures, engines: found }));
  expect(figures.heap_slope_percent_per_step).toBeLessThan(MOST);
  expect(figures.heap_slope_percent_per_turn).toBeLessThan(MOST);
  expect(figures.webgpu_heap_slope_percent_per_step).toBeLessThan(MOST);
  expect(figures.gpu_slope_percent_per_step).toBeLessThan(MOST);
});
