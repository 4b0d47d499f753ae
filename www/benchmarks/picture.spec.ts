import { join } from 'node:path';
import { expect, test } from '../e2e/lab-test';

/** The README's picture: the default model and the bundled data, which may be shown. scripts/make-picture calls it. */
const folder = join(import.meta.dirname, '..', '..', 'docs');

test('picture', async ({ lab }) => {
  const { page } = lab;
  await page.setViewportSize({ width: 1280, height: 1180 });
  await page.getByRole('button', { name: /^Load SmolLM2/ }).click();
  await expect(page.locator('#model .facts')).toContainText('llama', { timeout: 300_000 });
  await page.locator('#use-bundled').click();
  await expect(page.locator('#data .facts')).toContainText('wordnet-definitions.txt', { timeout: 60_000 });
  await lab.set('steps', '20');
  await lab.set('max_tokens', '24');
  await lab.start();
  await expect(page.locator('#status')).toHaveText('Finished.', { timeout: 3_000_000 });
  await expect(page.getByRole('button', { name: 'Stop writing' })).toBeHidden({ timeout: 600_000 });
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: join(folder, `first-run-${scheme}.png`), animations: 'disabled' });
  }
});
