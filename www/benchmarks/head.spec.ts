import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { BenchPage, median } from './bench-page';

/**
 * Output head and loss in chunks with a backward of their own, on positions that count, against all logits at once in
 * autodiff; `scripts/bench head` says how it is called.
 */
const output = process.env.HEAD_OUTPUT ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const ROUNDS = quick ? 2 : 7;
const SCRIPT = '/head-worker.js';
const NAMES = ['head', 'whole-head'] as const;

interface Taken {
  seconds: number;
  loss: number;
}

test('the head and its loss', async ({ page }) => {
  const bench = await BenchPage.open(page, {
    '/answers.js': join(import.meta.dirname, 'answers.js'),
    [SCRIPT]: join(import.meta.dirname, 'head-worker.js'),
    '/works': process.env.WORKS_FOLDER ?? '',
  });
  const figures: Record<string, number> = {};
  const measured: object[] = [];
  for (const size of quick ? ['small'] : ['medium', 'large']) {
    for (const name of NAMES) await bench.ask(name, SCRIPT, 'prepare', { name, size });
    const taken: Record<string, Taken[]> = {};
    // In turns; the first round warms up.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const name of NAMES)
        taken[name] = [...(taken[name] ?? []), await bench.ask<Taken>(name, SCRIPT, 'step')];
    }
    const summary = async (name: string) => {
      const steps = taken[name] ?? [];
      return {
        seconds: median(steps.slice(1).map(({ seconds }) => seconds)),
        bytes: await bench.ask<number>(name, SCRIPT, 'bytes'),
        losses: steps.map(({ loss }) => loss),
      };
    };
    const chunked = await summary('head');
    const whole = await summary('whole-head');
    for (const [step, loss] of chunked.losses.entries())
      expect(Math.abs(loss - (whole.losses[step] ?? Number.NaN))).toBeLessThan(1e-4);
    figures[`${size}_seconds_over_whole`] = chunked.seconds / whole.seconds;
    figures[`${size}_step_bytes`] = chunked.bytes;
    figures[`${size}_step_bytes_whole`] = whole.bytes;
    measured.push({ size, chunked, whole });
    process.stdout.write(`${JSON.stringify(measured.at(-1))}\n`);
    await bench.endWorkers();
  }
  bench.end();
  if (output !== '') writeFileSync(output, JSON.stringify({ figures, measured }));
});
