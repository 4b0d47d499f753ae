import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { defaultConfig } from '../src/config/defaults';
import type { StepReport } from '../src/protocol';
import { likeSmolLM2, syntheticModel } from './synthetic-model';

/**
 * What a step asks of the GPU, counted in the browser's own interface. It depends on layers, targets and runs and not on
 * widths, so a narrow model with SmolLM2's layers has SmolLM2's counts; scripts/bench-dispatches says how it is called.
 */
const output = process.env.DISPATCHES_OUTPUT ?? '';
const module = process.env.DISPATCHES_MODULE ?? join(import.meta.dirname, '..', 'src', 'generated', 'webgpu');
const cases = (process.env.DISPATCHES_CASES ?? '2x2,2x8,30x8').split(',').map((text) => {
  const [layers = 0, runs = 0] = text.split('x').map(Number);
  return { layers, runs };
});
const tiny = join(import.meta.dirname, '..', 'public', 'tiny');
const PHASES = ['forward', 'backward', 'precondition', 'update', 'report'] as const;

interface Counts {
  readonly dispatches: number;
  readonly uploads: number;
  readonly uploadedBytes: number;
  readonly copies: number;
  readonly readBacks: number;
}
interface Step {
  readonly report: StepReport;
  readonly seconds: number;
  readonly marks: readonly Counts[];
}

test.use({
  launchOptions: {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      '--enable-features=Vulkan',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
});

const files: Record<string, [string, string]> = {
  '/': ['', 'text/html'],
  '/riemann_lora.js': [join(module, 'riemann_lora.js'), 'text/javascript'],
  '/riemann_lora_bg.wasm': [join(module, 'riemann_lora_bg.wasm'), 'application/wasm'],
  '/worker.js': [join(import.meta.dirname, 'dispatches-worker.js'), 'text/javascript'],
};

function between(earlier: Counts | undefined, later: Counts | undefined): Counts {
  if (earlier === undefined || later === undefined) throw new Error('a step had too few read-backs');
  return {
    dispatches: later.dispatches - earlier.dispatches,
    uploads: later.uploads - earlier.uploads,
    uploadedBytes: later.uploadedBytes - earlier.uploadedBytes,
    copies: later.copies - earlier.copies,
    readBacks: later.readBacks - earlier.readBacks,
  };
}

/** The first step waits at the end of each part, so its read-backs divide it; the last one is the report's. */
function phasesOf(marks: readonly Counts[]): Record<string, Counts> {
  const parts = PHASES.map((phase, index) => [phase, between(marks[index], marks[index + 1])] as const);
  return Object.fromEntries(parts);
}

test('what a step asks of the GPU', async ({ page }) => {
  const server = createServer((request, response) => {
    const [file, type] = files[request.url ?? ''] ?? [];
    if (file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': type });
    return file === '' ? response.end() : createReadStream(file).pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  page.on('console', (message) => process.stdout.write(`${message.text().slice(0, 2000)}\n`));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const worker = await page.evaluateHandle(() => new Worker('/worker.js', { type: 'module' }));
  const ask = <Answer>(question: string, body?: unknown): Promise<Answer> =>
    page.evaluate(
      ([worker, question, body]) =>
        new Promise<Answer>((resolve, reject) => {
          worker.onmessage = ({ data }) =>
            data.error === undefined ? resolve(data.answer) : reject(new Error(data.error));
          worker.onerror = ({ message }) => reject(new Error(message));
          worker.postMessage({ id: 0, question, body });
        }),
      [worker, question, body] as const,
    );

  const config = defaultConfig();
  const found: Record<string, unknown>[] = [];
  for (const { layers, runs } of cases) {
    const model = {
      'tokenizer.json': readFileSync(join(tiny, 'tokenizer.json')),
      'tokenizer_config.json': readFileSync(join(tiny, 'tokenizer_config.json')),
      ...syntheticModel(likeSmolLM2(layers)),
    };
    const asArrays = Object.entries(model).map(([name, bytes]) => [name, [...bytes]]);
    await ask('load', {
      files: await page.evaluateHandle(
        (files) =>
          Object.fromEntries(files.map(([name, bytes]) => [name, new Uint8Array(bytes as number[])])),
        asArrays,
      ),
      data: Array.from({ length: 24 }, (_, line) => `a line of words, the ${line}th\n`).join(''),
      dataSettings: { ...config.data, sequence_length: 8, validation: { count: 1 } },
    });
    // Half of the runs precondition, all clip: what a comparison in the page does.
    const optimizers = Array.from({ length: runs }, (_, run) => config.runs[run % 2]?.optimizer);
    await ask('configure', {
      ...config.session,
      targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
      batch_size: 1,
      steps: 1000,
      diagnostics: process.env.DISPATCHES_DIAGNOSTICS === '1',
      runs: optimizers.map((optimizer, run) => ({
        name: `${run}`,
        optimizer: { ...optimizer, max_grad_norm: 1 },
      })),
    });
    const first = await ask<Step>('step');
    const next = await ask<Step>('step');
    const phases = phasesOf(first.marks);
    const whole = between(next.marks[0], next.marks.at(-1));
    // NaN would take another way through nothing, but its numbers would be worth nothing.
    for (const run of next.report.runs) expect(run.loss).toBeGreaterThan(0);
    found.push({
      layers,
      runs,
      phases,
      optimizer_dispatches: (phases.precondition?.dispatches ?? 0) + (phases.update?.dispatches ?? 0),
      step: whole,
      seconds_first_step: first.seconds,
      seconds_next_step: next.seconds,
    });
    process.stdout.write(
      `${JSON.stringify({ ...found.at(-1), losses: next.report.runs.map((run) => run.loss), kernels: first.marks })}\n`,
    );
  }
  server.close();
  if (output !== '') writeFileSync(output, JSON.stringify(found));
});
