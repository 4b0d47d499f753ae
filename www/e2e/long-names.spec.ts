import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from '@playwright/test';
import { expect, pairs, test } from './lab-test';
import { unstick } from './unstick';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

const long = `A_name_without_a_space_${'w'.repeat(70)}`;
const words = `${'A name of many words '.repeat(6)}end`;

/** How far an element reaches beyond the window, and its width. */
function reach(element: Locator): Promise<{ beyond: number; width: number }> {
  return element.evaluate((one) => {
    const { right, width } = one.getBoundingClientRect();
    return { beyond: Math.max(0, Math.round(right - innerWidth)), width };
  });
}

test('long names leave room for the columns beside them, on a laptop and on a phone', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  await lab.loadText(pairs(), `${long}.txt`);
  await expect(page.locator('#data .facts')).toBeVisible();
  await lab.field('runs.0.name').locator('input').fill(long);
  await lab.field('runs.1.name').locator('input').fill(words);
  await lab.set('steps', '4');
  await lab.set('validation_every', '2');
  await lab.set('max_tokens', '6');
  await lab.start();
  await lab.finished();
  await page.locator('#measure').click();
  await expect(page.locator('#token-losses .heat-token').first()).toBeVisible();
  for (const name of ['#diagnostics', '#train figure.chart >> nth=0']) {
    await page.locator(name).getByText('Numbers', { exact: true }).first().click();
  }
  await unstick(page);
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const where = `${colorScheme}, ${width} px`;
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await page.getByRole('link', { name: 'Language', exact: true }).click();
      await expect.poll(overflow, where).toBe(0);
      // The first number stands beside the name, and in sight.
      for (const table of ['#readouts', '#token-losses table', '#diagnostics table']) {
        const cell = page.locator(`${table} tbody tr`).first().locator('td').first();
        expect((await reach(cell)).beyond, `${table}, ${where}`).toBe(0);
      }
      const names = page.locator('.chart-legend:visible li, .answer h4, .adapter-name');
      for (const name of await names.all()) expect((await reach(name)).beyond, where).toBe(0);
      await page.screenshot({ path: join(shots, `long-names-${colorScheme}-${width}.png`), fullPage: true });
      await page.getByRole('link', { name: 'Runs', exact: true }).click();
      const name = page.locator('#runs-table tbody th').first();
      expect((await reach(name)).width, where).toBeLessThan(0.75 * width);
      const data = page.locator('#runs-table [data-column=Data]').last();
      expect((await reach(data)).width, where).toBeLessThan(0.5 * width);
      await expect.poll(overflow, where).toBe(0);
      await page.screenshot({
        path: join(shots, `long-names-runs-${colorScheme}-${width}.png`),
        fullPage: true,
      });
    }
  }
});
