import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { benchedWebgpu } from '../chromium';
import { defaultConfig } from '../src/config/defaults';
import type { MemoryEstimate, ModelSummary, SessionSettings } from '../src/protocol';
import { BenchPage } from './bench-page';
import { bundledData, moduleOf, sessionPlaces, settingsOf, smolLM2Files } from './session-bench';

/** The most that a tab holds while it trains, against the least that it must; scripts/bench-memory says how it is called. */
const output = process.env.MEMORY_OUTPUT ?? '';
/** A result whose CPU cases are kept, where only those on WebGPU are measured. */
const kept = process.env.MEMORY_KEPT ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const SCRIPT = '/session-worker.js';
const F32 = 4;
/** What the project promises. */
const [MOST_OVER_MINIMUM, MOST_ESTIMATE_ERROR] = [1.3, 0.15];

type Model = 'smollm2' | 'smollm2-f32' | '360m' | '1b';

interface Case {
  engine: 'cpu' | 'webgpu';
  model: Model;
  tokens: number;
  steps: number;
  checkpointing: boolean;
}

const all: Case[] = [
  { engine: 'cpu', model: 'smollm2', tokens: 256, steps: 3, checkpointing: false },
  { engine: 'cpu', model: 'smollm2', tokens: 256, steps: 3, checkpointing: true },
  { engine: 'cpu', model: 'smollm2', tokens: 1024, steps: 2, checkpointing: false },
  { engine: 'cpu', model: 'smollm2', tokens: 1024, steps: 2, checkpointing: true },
  { engine: 'cpu', model: '360m', tokens: 256, steps: 2, checkpointing: false },
  { engine: 'cpu', model: '360m', tokens: 1024, steps: 3, checkpointing: true },
  { engine: 'cpu', model: '1b', tokens: 64, steps: 2, checkpointing: false },
  // A software adapter takes half a minute for a step; its pools of memory settle in the first ones.
  { engine: 'webgpu', model: 'smollm2', tokens: 64, steps: 4, checkpointing: false },
  { engine: 'webgpu', model: 'smollm2-f32', tokens: 64, steps: 4, checkpointing: false },
];
const cases = kept === '' ? all : all.filter(({ engine }) => engine === 'webgpu');

interface Kept {
  commit: string;
  when: string;
  load_average: number;
  figures: Record<string, number>;
  cases: Case[];
  cpu_cases?: Pick<Kept, 'commit' | 'when' | 'load_average'>;
}

/** The CPU's cases of an earlier result and where they come from, before what was measured now. */
function withKept(figures: Record<string, number>, rows: unknown[]): object {
  if (kept === '') return { figures, cases: rows };
  const { commit, when, load_average, ...before }: Kept = JSON.parse(readFileSync(kept, 'utf8'));
  return {
    cpu_cases: before.cpu_cases ?? { commit, when, load_average },
    figures: { ...before.figures, ...figures },
    cases: [...before.cases.filter(({ engine }) => engine !== 'webgpu'), ...rows],
  };
}

test.use({
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: benchedWebgpu },
});

/** Values a token that one block's backward cannot do without, with adapters on q_proj and v_proj. */
function keptByBlock(summary: ModelSummary): number {
  const width = summary.hidden_size;
  const channels = (target: string) =>
    summary.targets.find((shape) => shape.target === target)?.outputs ?? Number.NaN;
  // What both norms read, what the adapters read; queries, keys and values; gate and up.
  return 3 * width + channels('q_proj') + channels('k_proj') + channels('v_proj') + 2 * channels('gate_proj');
}

/** Bytes of the packed base, of factors with gradients and two moments, and of activations that must be kept. */
function minimum(summary: ModelSummary, settings: SessionSettings, { tokens, checkpointing }: Case) {
  const factors = summary.targets
    .filter(({ target }) => settings.targets.includes(target))
    .reduce((sum, { inputs, outputs }) => sum + settings.rank * (inputs + outputs), 0);
  const block = keptByBlock(summary);
  const kept = checkpointing ? summary.layers * summary.hidden_size + block : summary.layers * block;
  return summary.memory_bytes + 4 * F32 * summary.layers * factors + F32 * tokens * kept;
}

test('memory of a step', async ({ page }) => {
  const large = process.env.MEMORY_FOLDER ?? '';
  const figures: Record<string, number> = {};
  const rows: Record<string, unknown>[] = [];
  const worst = { cpu: 0, webgpu: 0 };
  for (const one of quick ? cases.slice(0, 1) : cases) {
    const { engine } = one;
    const bench = await BenchPage.open(page, { ...sessionPlaces, '/large': large });
    const files = one.model === 'smollm2' ? smolLM2Files : [['model.gguf', `/large/${one.model}.gguf`]];
    const summary = await bench.ask<ModelSummary>(engine, SCRIPT, 'load', {
      engine: moduleOf(engine),
      files,
      data: bundledData(600),
      // Packed, so that every batch is as long as can be.
      dataSettings: {
        ...defaultConfig().data,
        format: 'text',
        loss_on: 'all',
        sequence_length: one.tokens,
        validation: 'none',
      },
    });
    const settings = settingsOf(1, { batch_size: 1, gradient_checkpointing: one.checkpointing });
    const estimate = await bench.ask<MemoryEstimate>(engine, SCRIPT, 'estimate', settings);
    await bench.ask(engine, SCRIPT, 'configure', settings);
    let seconds = 0;
    for (let step = 0; step < one.steps; step += 1) {
      ({ seconds } = await bench.ask<{ seconds: number }>(engine, SCRIPT, 'step'));
    }
    const bytes = await bench.ask<{ heap: number; mostGpu: number }>(engine, SCRIPT, 'bytes');
    // The module's memory never shrinks, so this is its peak; the page around it takes 2 MB.
    const peak = engine === 'cpu' ? bytes.heap : bytes.mostGpu;
    const error = estimate.total / peak - 1;
    const least = minimum(summary, settings, one);
    const row = { ...one, heap: bytes.heap, ...(engine === 'webgpu' ? { gpu: bytes.mostGpu } : {}) };
    const expected = { minimum: Math.round(least), estimate: estimate.total, seconds };
    rows.push({ ...row, ...expected, peak_over_minimum: peak / least, estimate_error: error });
    process.stdout.write(`${JSON.stringify(rows.at(-1))}\n`);
    const name = `${one.tokens}${one.checkpointing ? '_checkpointed' : ''}`;
    if (engine === 'webgpu') {
      figures[`webgpu_peak_bytes_${one.model === 'smollm2' ? 'packed' : 'dense'}`] = peak;
    } else if (one.model === 'smollm2') figures[`peak_over_minimum_${name}`] = peak / least;
    else if (one.model === '360m')
      figures[`model_360m_peak_bytes${one.checkpointing ? '_checkpointed' : ''}`] = peak;
    else figures.model_1b_peak_bytes = peak;
    if (Math.abs(error) > Math.abs(worst[engine])) worst[engine] = error;
    await bench.endWorkers();
    bench.end();
  }
  if (kept === '') figures.estimate_error = worst.cpu;
  figures.webgpu_estimate_error = worst.webgpu;
  if (output !== '') writeFileSync(output, JSON.stringify(withKept(figures, rows)));
  if (kept === '') {
    for (const tokens of quick ? [256] : [256, 1024])
      expect(figures[`peak_over_minimum_${tokens}`]).toBeLessThan(MOST_OVER_MINIMUM);
    if (!quick) expect(figures.model_360m_peak_bytes).toBeLessThan(2 ** 31);
  }
  expect(Math.abs(worst.cpu)).toBeLessThan(MOST_ESTIMATE_ERROR);
  expect(Math.abs(worst.webgpu)).toBeLessThan(MOST_ESTIMATE_ERROR);
});
