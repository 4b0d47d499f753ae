import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { benchedWebgpu } from '../chromium';
import { defaultConfig } from '../src/config/defaults';
import type { StepReport } from '../src/protocol';
import { BenchPage } from './bench-page';
import { sessionPlaces } from './session-bench';
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
const SCRIPT = '/dispatches-worker.js';
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

interface Measurement {
  readonly layers: number;
  readonly runs: number;
  readonly phases: Record<string, Counts>;
  readonly optimizer_dispatches: number;
  readonly step: Counts;
  readonly seconds_first_step: number;
  readonly seconds_next_step: number;
}

test.use({
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: benchedWebgpu },
});

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
  page.on('console', (message) => process.stdout.write(`${message.text().slice(0, 2000)}\n`));
  const bench = await BenchPage.open(page, {
    ...sessionPlaces,
    '/module': module,
    [SCRIPT]: join(import.meta.dirname, 'dispatches-worker.js'),
  });
  const ask = <Answer>(question: string, body?: unknown) => bench.ask<Answer>('gpu', SCRIPT, question, body);

  const config = defaultConfig();
  const found: Measurement[] = [];
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
  bench.end();
  const largest = found.reduce((most, one) => (one.layers * one.runs > most.layers * most.runs ? one : most));
  const figures = {
    optimizer_dispatches_8_runs: largest.optimizer_dispatches,
    step_dispatches: largest.step.dispatches,
    step_uploaded_bytes: largest.step.uploadedBytes,
    step_read_backs: largest.step.readBacks,
  };
  if (output !== '') writeFileSync(output, JSON.stringify({ figures, measurements: found }));
});
