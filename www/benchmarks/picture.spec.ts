import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '../e2e/lab-test';

/** The README's pictures, of models and data that may be shown. scripts/make-picture calls them. */
const folder = join(import.meta.dirname, '..', '..', 'docs');

async function inBothThemes(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), animations: 'disabled' });
  }
}

/** What Train now comes to. */
test('first-run', async ({ lab }) => {
  const { page } = lab;
  await page.setViewportSize({ width: 1280, height: 1180 });
  await lab.begins(() => page.getByRole('button', { name: 'Train now' }).click());
  await lab.finished();
  await page.getByRole('button', { name: 'Hide this' }).click();
  await inBothThemes(page, 'first-run');
});

/** A sweep of the tiny model: four methods at eight rates. */
test('sweep', async ({ lab }) => {
  const { page } = lab;
  await page.setViewportSize({ width: 1280, height: 1010 });
  await page.locator('#load-tiny').click();
  await expect(page.locator('#model .facts')).toBeVisible();
  await page.locator('#use-bundled').click();
  await expect(page.locator('#data .facts')).toBeVisible();
  await lab.set('steps', '120');
  await page.getByRole('link', { name: 'Sweep', exact: true }).click();
  for (const method of ['SGD (plain)', 'Scaled GD (safe)']) {
    await page.getByRole('checkbox', { name: method, exact: true }).check();
  }
  await page
    .locator('[data-field="sweep.values"] textarea')
    .fill('1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1, 10');
  await page.locator('#sweep-start').click();
  await expect(page.locator('#sweep-status')).toContainText('Finished.', { timeout: 3_000_000 });
  await page.locator('h1').click();
  await inBothThemes(page, 'sweep');
});

/** The model of icons learns the bundled subject: AdamW and scaled AdamW at a good rate, and at one that is too large. */
test('images', async ({ lab }) => {
  const { page } = lab;
  const view = page.locator('#images-view');
  const set = (name: string, value: string) =>
    view.locator(`[data-field="${name}"] input`).first().fill(value);
  await page.setViewportSize({ width: 1280, height: 1610 });
  await page.getByRole('link', { name: 'Images', exact: true }).click();
  await page.locator('#images-use-subject').click();
  await expect(view.locator('.shelf li')).toHaveCount(10, { timeout: 120_000 });
  const runs = [
    ['AdamW, 1e-3', '1e-3'],
    ['AdamW, 1e-1', '1e-1'],
    ['Scaled AdamW, 1e-3', '1e-3'],
    ['Scaled AdamW, 1e-1', '1e-1'],
  ] as const;
  for (const [index, [name, lr]] of runs.entries()) {
    await set(`runs.${index}.name`, name);
    await set(`runs.${index}.lr`, lr);
  }
  await set('steps', '300');
  await set('draw_every', '100');
  await page.locator('#images-start').click();
  await expect(page.locator('#images-status')).toHaveText('Finished.', { timeout: 3_000_000 });
  await expect(page.locator('#images-drawing')).toHaveText('', { timeout: 300_000 });
  await page.locator('h1').click();
  await inBothThemes(page, 'images');
});
