import { writeFileSync } from 'node:fs';
import { expect, test } from '../e2e/lab-test';
import type { StepTimes } from '../src/protocol';

/** What the preconditioner adds to a step of the CPU module; scripts/bench-overhead says how it is called. */
const output = process.env.OVERHEAD_OUTPUT ?? '';
const ranks = [4, 8, 16, 64];
const STEPS = Number(process.env.OVERHEAD_STEPS ?? 9);
/** Steps that fill caches; they are not counted. */
const WARM_UP = 2;

function median(values: number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Plain text, so that every sequence is full: 4 of 64 tokens. */
const words = ['river', 'stone', 'cloud', 'apple', 'table', 'house', 'green', 'grey', 'is', 'the', 'of', 'a'];
const text = Array.from({ length: 12_000 }, (_, index) => words[(index * index + index) % words.length]).join(
  ' ',
);

test('overhead', async ({ lab }) => {
  const { page } = lab;
  await page.getByRole('button', { name: /^Load SmolLM2/ }).click();
  await expect(page.locator('#model .facts')).toContainText('llama', { timeout: 300_000 });
  await lab.loadText(text, 'words.txt');
  await expect(page.locator('#data .facts')).toContainText('words.txt', { timeout: 60_000 });
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
  await lab.set('sequence_length', '64');
  await lab.set('steps', String(STEPS + WARM_UP));
  await lab.set('validation_every', '0');
  await lab.field('diagnostics').locator('input').uncheck();
  await lab.withoutSamples();

  const measurements = [];
  for (const rank of ranks) {
    await lab.set('rank', String(rank));
    await lab.set('alpha', String(rank));
    await lab.start();
    const times: StepTimes[][] = [[], []];
    for (let step = 1; step <= STEPS + WARM_UP; step += 1) {
      for (const run of [0, 1]) {
        await page.waitForFunction(
          ([index, wanted]) => (window.testHooks?.losses(index as number).length ?? 0) >= (wanted as number),
          [run, step],
          { timeout: 300_000 },
        );
      }
      for (const run of [0, 1]) {
        const seconds = await page.evaluate((index) => window.testHooks?.stepTimes(index), run);
        if (seconds && step > WARM_UP) times[run]?.push(seconds);
      }
    }
    await expect(page.locator('#status')).toHaveText('Finished.', { timeout: 300_000 });
    const [plain = [], scaled = []] = times;
    const part = (steps: StepTimes[]) => median(steps.map((step) => step.precondition));
    const plainStep = median(plain.map((step) => step.total));
    measurements.push({
      rank,
      plain_step: plainStep,
      scaled_step: median(scaled.map((step) => step.total)),
      plain_part: part(plain),
      scaled_part: part(scaled),
      ratio: 1 + (part(scaled) - part(plain)) / plainStep,
    });
  }
  writeFileSync(output, JSON.stringify(measurements));
});
