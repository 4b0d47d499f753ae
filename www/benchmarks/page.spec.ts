import { writeFileSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '../e2e/lab-test';

const FROM = 20;
const STEPS = 200;

test('how fast the page opens, how fast it trains the tiny model, and what axe finds', async ({ lab }) => {
  const { page } = lab;
  const paint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
  );
  // A button fades from disabled to enabled, and its colours on the way are nobody's.
  await expect(page.locator('#train-now')).toBeEnabled();
  await page.waitForTimeout(500);
  const violations: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const link of await page.locator('#tabs a').all()) {
      await link.click();
      // A view's code comes when it is first visited.
      await expect(page.locator('main:visible section').first()).toBeVisible();
      const found = await new AxeBuilder({ page }).analyze();
      violations.push(
        ...found.violations.map(({ id, nodes }) => `${colorScheme}: ${id} ${nodes[0]?.html ?? ''}`),
      );
    }
  }
  await page.locator('#tabs a').first().click();
  await lab.withoutSamples();
  await page.locator('#load-tiny').click();
  await expect(page.locator('#model .facts')).toBeVisible();
  await page.locator('#use-bundled').click();
  await expect(page.locator('#data .facts')).toBeVisible();
  await lab.set('steps', String(STEPS));
  await lab.set('validation_every', '0');
  await lab.start();
  await lab.reaches(FROM);
  const began = performance.now();
  const from = Number.parseInt(await page.locator('#step-count').innerText(), 10);
  await lab.finished();
  const rate = (STEPS - from) / ((performance.now() - began) / 1000);
  const found = {
    first_contentful_paint_ms: Math.round(paint),
    axe_violations: violations.length,
    tiny_steps_per_second_two_runs: Number(rate.toFixed(2)),
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  const output = process.env.PAGE_OUTPUT;
  if (output !== undefined) writeFileSync(output, JSON.stringify(found));
  expect(violations).toEqual([]);
});
