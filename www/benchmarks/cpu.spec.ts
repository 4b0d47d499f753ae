import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { defaultConfig } from '../src/config/defaults';
import type { ModelSummary, StepReport } from '../src/protocol';
import { BenchPage, median } from './bench-page';
import { bundledData, moduleOf, sessionPlaces, settingsOf, smolLM2Files } from './session-bench';

/** How fast the CPU module steps, against the most that a core computes; scripts/bench-cpu says how it is called. */
const folder = process.env.CPU_FOLDER ?? '';
const output = process.env.CPU_OUTPUT ?? '';
const SCRIPT = '/session-worker.js';
const CEILING = '/ceiling-worker.js';
const STEPS = Number(process.env.CPU_STEPS ?? 9);

interface Timed<Value> {
  value: Value;
  seconds: number;
}

/** Additions and multiplications of all products with frozen weights: rows through the blocks and the head, and back. */
function operations(summary: ModelSummary, step: StepReport): number {
  const head = summary.vocab_size * summary.hidden_size;
  const below = summary.parameters - head;
  return 2 * 2 * (step.tokens * below + step.counted_tokens * head);
}

test('steps of the CPU module', async ({ page }) => {
  const bench = await BenchPage.open(page, {
    ...sessionPlaces,
    '/ceiling-worker.js': join(import.meta.dirname, 'ceiling-worker.js'),
    '/ceilings': folder,
  });
  const ceiling = (file: string) => bench.ask<number>('ceiling', CEILING, 'ceiling', `/ceilings/${file}`);
  const simd = await ceiling('simd.wasm');
  const fused = await ceiling('fused.wasm');

  // The last two share the steps of one run.
  const workers = ['one', 'other', 'first half', 'second half'];
  const load = {
    engine: moduleOf('cpu'),
    files: smolLM2Files,
    data: bundledData(),
    dataSettings: defaultConfig().data,
  };
  const summaries: ModelSummary[] = [];
  for (const worker of workers) {
    summaries.push(await bench.ask<ModelSummary>(worker, SCRIPT, 'load', load));
    await bench.ask(worker, SCRIPT, 'configure', settingsOf(1));
  }
  const step = (worker: string) => bench.ask<Timed<StepReport>>(worker, SCRIPT, 'step');
  const halves = workers.slice(2);
  // As the lab does it, shards never leave the browser.
  const sharedStep = (): Promise<Timed<StepReport>> =>
    page.evaluate(
      async ([names, script]) => {
        const ask = <Value>(name: string, question: string, body: unknown) =>
          window.benchAsk(name, script, question, body) as Promise<Timed<Value>>;
        const began = performance.now();
        const shards = await Promise.all(
          names.map((name, shard) => ask<Float32Array>(name, 'shard', { shard, shards: names.length })),
        );
        const values = shards.map(({ value }) => value);
        const taken = await Promise.all(names.map((name) => ask<StepReport>(name, 'stepWithShards', values)));
        const value = taken[0]?.value;
        if (value === undefined) throw new Error('no worker took the step');
        return { value, seconds: (performance.now() - began) / 1000 };
      },
      [halves, SCRIPT] as const,
    );
  const alone: Timed<StepReport>[] = [];
  const together: Timed<StepReport>[][] = [];
  const shared: Timed<StepReport>[] = [];
  let error = 0;
  // Turn by turn, so that what else the machine does slows all alike. The first step of each warms up.
  for (let turn = 0; turn <= STEPS; turn += 1) {
    const one = await step('one');
    const two = await Promise.all([step('one'), step('other')]);
    const half = await sharedStep();
    // The other has taken as many steps as both halves.
    const [loss, expected] = [half, two[1]].map(({ value }) => value.runs[0]?.loss ?? Number.NaN);
    error = Math.max(error, Math.abs((loss ?? Number.NaN) - (expected ?? Number.NaN)));
    if (turn === 0) continue;
    alone.push(one);
    together.push(two);
    shared.push(half);
  }
  bench.end();
  expect(error).toBeLessThan(1e-5);
  const [summary] = summaries;
  if (summary === undefined) throw new Error('no model was loaded');
  // Batches differ in length, so what is compared is time an operation.
  const pace = ({ value, seconds }: Timed<StepReport>) => operations(summary, value) / seconds / 1e9;
  const gflops = median(alone.map(pace));
  const slower = median(together.map((pair) => Math.min(...pair.map(pace))));
  const found = {
    gflops_step: gflops,
    gflops_ceiling: fused,
    gflops_ceiling_without_fused: simd,
    share_of_ceiling: gflops / fused,
    share_of_ceiling_without_fused: gflops / simd,
    workers_2_cost: gflops / slower,
    shards_2_cost: gflops / median(shared.map(pace)),
    shards_2_largest_difference_of_losses: error,
    seconds_step: median(alone.map(({ seconds }) => seconds)),
    tokens_step: median(alone.map(({ value }) => value.tokens)),
    memory_bytes: Math.max(...alone.map(({ value }) => value.memory_bytes)),
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (output !== '') writeFileSync(output, JSON.stringify({ figures: found }));
});
