import { join } from 'node:path';
import { expectClean } from './clean';
import { expect, test } from './lab-test';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');

test('each claim has its card, in both themes, on a laptop and on a phone', async ({ lab }) => {
  const { page } = lab;
  await page.getByRole('link', { name: 'Claims', exact: true }).click();
  const cards = page.locator('#claims-view .claim');
  await expect(cards).toHaveCount(8);
  await expect(page.locator('[data-claim="overhead"] .claim-verdict')).toHaveText('holds here');
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const where = `${colorScheme}, ${width} px`;
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await expect.poll(overflow, where).toBe(0);
      await expectClean(page, where);
      await page.screenshot({ path: join(shots, `claims-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
});

test('a card’s button holds its trial', async ({ lab }) => {
  const { page } = lab;
  await page.getByRole('link', { name: 'Claims', exact: true }).click();
  await lab.begins(() => page.locator('[data-claim="sgd"] button').click());
  await expect(page.locator('#language-view')).toBeVisible();
  await page.locator('#stop').click();
  await page.getByRole('link', { name: 'Claims', exact: true }).click();
  await page.locator('[data-claim="rank"] button').click();
  await expect(page.locator('#sweep-view')).toBeVisible();
  await expect(page.locator('#sweep-view')).toContainText('rank');
  await page.getByRole('link', { name: 'Claims', exact: true }).click();
  await page.locator('[data-claim="condition"] button').click();
  await expect(page.locator('#theory-view')).toBeVisible();
});
