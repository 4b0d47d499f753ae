import { writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { benchedWebgpu } from '../chromium';
import { defaultConfig } from '../src/config/defaults';
import type { MemoryEstimate, ModelSummary } from '../src/protocol';
import { BenchPage, median } from './bench-page';
import { bundledData, moduleOf, sessionPlaces, settingsOf } from './session-bench';

/** Memory and time of a step with models of big vocabularies; scripts/bench-models says how it is called. */
const output = process.env.MODELS_OUTPUT ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const SCRIPT = '/session-worker.js';
const [BATCH, TOKENS] = [4, 64];
/** The least and the most that the estimate before Start may be of what was taken; burn's pools of GPU memory are not foreseen. */
const ESTIMATE_OVER_PEAK = { cpu: [0.95, 1.1], webgpu: [0.85, 1.15] } as const;

interface Case {
  engine: 'cpu' | 'webgpu';
  model: 'qwen3_06b' | 'gemma3_270m';
  address: string;
  steps: number;
}

const cases: Case[] = [
  { engine: 'cpu', model: 'gemma3_270m', address: '/gemma', steps: 3 },
  { engine: 'cpu', model: 'qwen3_06b', address: '/qwen', steps: 3 },
  // A software adapter takes minutes for a step.
  { engine: 'webgpu', model: 'qwen3_06b', address: '/qwen', steps: 2 },
];

test.use({
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: benchedWebgpu },
});

test('models of big vocabularies', async ({ page }) => {
  const places = {
    ...sessionPlaces,
    '/qwen': process.env.MODELS_QWEN ?? '',
    '/gemma': process.env.MODELS_GEMMA ?? '',
  };
  const figures: Record<string, number> = {};
  const rows: (Omit<Case, 'address'> & {
    peak: number;
    estimate: number;
    seconds: number[];
    losses: number[];
  })[] = [];
  for (const { address, ...one } of quick ? cases.slice(0, 1) : cases) {
    const { engine, model } = one;
    const bench = await BenchPage.open(page, places);
    await bench.ask<ModelSummary>(engine, SCRIPT, 'load', {
      engine: moduleOf(engine),
      files: [['model.gguf', address]],
      data: bundledData(600),
      // Packed, so that every batch is as long as can be.
      dataSettings: {
        ...defaultConfig().data,
        format: 'text',
        loss_on: 'all',
        sequence_length: TOKENS,
        validation: 'none',
      },
    });
    const settings = settingsOf(1, { batch_size: BATCH });
    const estimate = await bench.ask<MemoryEstimate>(engine, SCRIPT, 'estimate', settings);
    await bench.ask(engine, SCRIPT, 'configure', settings);
    const seconds: number[] = [];
    const losses: number[] = [];
    for (let step = 0; step < one.steps; step += 1) {
      const done = await bench.ask<{ seconds: number; value: { runs: { loss: number }[] } }>(
        engine,
        SCRIPT,
        'step',
      );
      seconds.push(done.seconds);
      losses.push(done.value.runs[0]?.loss ?? Number.NaN);
      process.stdout.write(
        `${engine} ${model}: step ${step + 1} of ${one.steps}, ${done.seconds.toFixed(1)} s\n`,
      );
    }
    const bytes = await bench.ask<{ heap: number; mostGpu: number }>(engine, SCRIPT, 'bytes');
    // The module's memory never shrinks, so this is its peak.
    const peak = engine === 'cpu' ? bytes.heap : bytes.mostGpu;
    rows.push({ ...one, peak, estimate: estimate.total, seconds, losses });
    process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
    figures[`${model}_peak_bytes_${engine}`] = peak;
    if (engine === 'cpu') figures[`seconds_per_step_${model}`] = median(seconds);
    await bench.endWorkers();
    bench.end();
  }
  if (output !== '') writeFileSync(output, JSON.stringify({ figures, cases: rows }));
  for (const { engine, peak, estimate, losses } of rows) {
    const [least, most] = ESTIMATE_OVER_PEAK[engine];
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(estimate / peak).toBeGreaterThan(least);
    expect(estimate / peak).toBeLessThan(most);
  }
});
