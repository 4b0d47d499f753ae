import { writeFileSync } from 'node:fs';
import { test } from '@playwright/test';
import { quiet } from '../chromium';
import { defaultConfig } from '../src/config/defaults';
import type { SessionSettings } from '../src/protocol';
import { BenchPage, median } from './bench-page';
import { bundledData, moduleOf, sessionPlaces, settingsOf, smolLM2Files } from './session-bench';

/** What attention costs in long texts; scripts/bench-attention says how it is called. */
const output = process.env.ATTENTION_OUTPUT ?? '';
/** A folder with the module of an earlier commit, in a folder of the engine's name. */
const before = process.env.ATTENTION_BEFORE ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const SCRIPT = '/session-worker.js';
const ROUNDS = quick ? 1 : 3;

test.use({ launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: quiet } });

interface Case {
  tokens: number;
  batch: number;
  checkpointing: boolean;
}

const peaks: [string, Case][] = [
  ['peak_1024', { tokens: 1024, batch: 1, checkpointing: false }],
  ['peak_1024_checkpointing', { tokens: 1024, batch: 1, checkpointing: true }],
  ['peak_4096', { tokens: 4096, batch: 1, checkpointing: true }],
];
const times: [string, Case][] = [
  ['time_ratio_256', { tokens: 256, batch: 1, checkpointing: false }],
  ['time_ratio_1024', { tokens: 1024, batch: 1, checkpointing: false }],
];

async function begin(bench: BenchPage, worker: string, engine: string, one: Case) {
  await bench.ask(worker, SCRIPT, 'load', {
    engine,
    files: smolLM2Files,
    data: bundledData(1200),
    // Packed, so that every batch is as long as can be.
    dataSettings: {
      ...defaultConfig().data,
      format: 'text',
      loss_on: 'all',
      sequence_length: one.tokens,
      validation: 'none',
    },
  });
  const settings: SessionSettings = settingsOf(1, {
    batch_size: one.batch,
    gradient_checkpointing: one.checkpointing,
  });
  await bench.ask(worker, SCRIPT, 'configure', settings);
}

const step = async (bench: BenchPage, worker: string) =>
  (await bench.ask<{ seconds: number }>(worker, SCRIPT, 'step')).seconds;

test('attention in long texts', async ({ page }) => {
  const figures: Record<string, number> = {};
  const cases: Record<string, unknown>[] = [];
  const bench = await BenchPage.open(page, { '/engines/before': before, ...sessionPlaces });
  const now = moduleOf('cpu');
  for (const [name, one] of quick ? peaks.slice(1, 2) : peaks) {
    await begin(bench, 'now', now, one);
    const seconds: number[] = [];
    for (let count = 0; count < 2; count += 1) seconds.push(await step(bench, 'now'));
    const { heap } = await bench.ask<{ heap: number }>('now', SCRIPT, 'bytes');
    figures[name] = heap;
    cases.push({ name, ...one, heap, seconds });
    process.stdout.write(`${JSON.stringify(cases.at(-1))}\n`);
    await bench.endWorkers();
  }
  for (const [name, one] of before === '' ? [] : times) {
    const seconds: { now: number[]; before: number[] } = { now: [], before: [] };
    // In turns, so that both have the same of what the machine does besides; the first steps of each are not counted.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const which of ['before', 'now'] as const) {
        await begin(bench, which, which === 'now' ? now : `before/${now}`, one);
        await step(bench, which);
        for (let count = 0; count < (one.tokens > 500 ? 2 : 6); count += 1) {
          seconds[which].push(await step(bench, which));
        }
        await bench.endWorkers();
      }
    }
    figures[name] = median(seconds.now) / median(seconds.before);
    cases.push({ name, ...one, seconds });
    process.stdout.write(`${JSON.stringify({ name, ratio: figures[name], ...seconds })}\n`);
  }
  bench.end();
  if (output !== '') writeFileSync(output, JSON.stringify({ figures, cases }));
});
