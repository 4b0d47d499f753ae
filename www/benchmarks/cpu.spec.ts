import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { defaultConfig } from '../src/config/defaults';
import type { ModelSummary, StepReport } from '../src/protocol';

/** How fast the CPU module steps, against the most that a core computes; scripts/bench-cpu says how it is called. */
const folder = process.env.CPU_FOLDER ?? '';
const model = process.env.CPU_MODEL ?? '';
const output = process.env.CPU_OUTPUT ?? '';
const generated = join(import.meta.dirname, '..', 'src', 'generated', 'cpu-relaxed');
const data = join(import.meta.dirname, '..', 'public', 'data', 'wordnet-definitions.txt');
const STEPS = 9;

type Step = StepReport & { wall: number };
type Ask = <Answer>(worker: number, question: string, body?: unknown) => Promise<Answer>;
declare global {
  interface Window {
    ask: Ask;
  }
}

const files: Record<string, [string, string]> = {
  '/': ['', 'text/html'],
  '/riemann_lora.js': [join(generated, 'riemann_lora.js'), 'text/javascript'],
  '/riemann_lora_bg.wasm': [join(generated, 'riemann_lora_bg.wasm'), 'application/wasm'],
  '/worker.js': [join(import.meta.dirname, 'cpu-worker.js'), 'text/javascript'],
  '/simd.wasm': [join(folder, 'simd.wasm'), 'application/wasm'],
  '/fused.wasm': [join(folder, 'fused.wasm'), 'application/wasm'],
  '/model.gguf': [model, 'application/octet-stream'],
};

const median = (values: number[]) =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Additions and multiplications of all products with frozen weights: rows through the blocks and the head, and back. */
function operations(summary: ModelSummary, step: Step): number {
  const head = summary.vocab_size * summary.hidden_size;
  const below = summary.parameters - head;
  return 2 * 2 * (step.tokens * below + step.counted_tokens * head);
}

test('steps of the CPU module', async ({ page }) => {
  const server = createServer((request, response) => {
    const [file, type] = files[request.url ?? ''] ?? [];
    if (file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': type });
    return file === '' ? response.end() : createReadStream(file).pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.evaluate(() => {
    const workers: Worker[] = [];
    let last = 0;
    window.ask = (index, question, body) =>
      new Promise((resolve, reject) => {
        workers[index] ??= new Worker('/worker.js', { type: 'module' });
        const worker = workers[index];
        last += 1;
        const id = last;
        const listen = ({ data }: MessageEvent) => {
          if (data.id !== id) return;
          worker?.removeEventListener('message', listen);
          if (data.error === undefined) resolve(data.answer);
          else reject(new Error(data.error));
        };
        worker?.addEventListener('message', listen);
        worker?.postMessage({ id, question, body });
      });
  });
  const ask: Ask = (worker, question, body) =>
    page.evaluate(([worker, question, body]) => window.ask(worker, question, body), [
      worker,
      question,
      body,
    ] as const);

  const simd = await ask<number>(0, 'ceiling', { file: '/simd.wasm' });
  const fused = await ask<number>(0, 'ceiling', { file: '/fused.wasm' });

  const config = defaultConfig();
  const [run] = config.runs;
  expect(run).toBeDefined();
  const body = {
    data: readFileSync(data, 'utf8'),
    dataSettings: config.data,
    settings: {
      ...config.session,
      diagnostics: false,
      steps: 1000,
      runs: [{ name: 'AdamW', optimizer: run?.optimizer }],
    },
  };
  const summary = await ask<ModelSummary>(0, 'load', body);
  await ask(1, 'load', body);
  const alone: Step[] = [];
  const together: Step[][] = [];
  // Turn by turn, so that what else the machine does slows both alike. The first step of each warms up.
  for (let step = 0; step <= STEPS; step += 1) {
    const one = await ask<Step>(0, 'step');
    const two = await Promise.all([ask<Step>(0, 'step'), ask<Step>(1, 'step')]);
    if (step === 0) continue;
    alone.push(one);
    together.push(two);
  }
  server.close();
  // Batches differ in length, so what is compared is time an operation.
  const pace = (step: Step) => operations(summary, step) / step.wall / 1e9;
  const gflops = median(alone.map(pace));
  const slower = median(together.map((pair) => Math.min(...pair.map(pace))));
  const found = {
    gflops_step: gflops,
    gflops_ceiling: fused,
    gflops_ceiling_without_fused: simd,
    share_of_ceiling: gflops / fused,
    share_of_ceiling_without_fused: gflops / simd,
    workers_2_cost: gflops / slower,
    seconds_step: median(alone.map((step) => step.wall)),
    tokens_step: median(alone.map((step) => step.tokens)),
    memory_bytes: Math.max(...alone.map((step) => step.memory_bytes)),
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (output !== '') writeFileSync(output, JSON.stringify(found));
});
