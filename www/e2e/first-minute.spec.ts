import { join } from 'node:path';
import { expectClean } from './clean';
import { expect, test } from './lab-test';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');

test('one button trains the tiny model, and both losses fall', async ({ lab }) => {
  const { page } = lab;
  await lab.begins(() => page.getByRole('button', { name: 'Train now' }).click());
  await expect(page.locator('#model .facts')).toContainText('riemann-lora-tiny');
  await lab.finished();
  for (const run of [0, 1]) {
    const losses = (await lab.losses(run)).map((loss) => loss ?? Number.NaN);
    expect(losses).toHaveLength(200);
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    expect(mean(losses.slice(-20))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));
  }
  // The base answers, and so does every run.
  await expect(page.locator('#samples')).toContainText('Scaled AdamW');
  await page.addStyleTag({ content: '.transport { position: static !important; }' });
  await page.screenshot({ path: join(shots, 'first-minute.png'), fullPage: true });
});

test('the tour goes through all stops by keyboard, and gives the focus back', async ({ lab }) => {
  const { page } = lab;
  await page.locator('#tour').press('Enter');
  const card = page.getByRole('dialog');
  await expect(card.getByRole('heading')).toBeFocused();
  const titles: string[] = [];
  for (let stop = 1; stop <= 5; stop += 1) {
    await expect(card).toContainText(`${stop} of 5`);
    titles.push(await card.getByRole('heading').innerText());
    await expect(page.locator('.toured')).toBeInViewport();
    if (stop === 3) {
      await expectClean(page);
      await page.screenshot({ path: join(shots, 'tour.png') });
    }
    await card.getByRole('button', { name: stop === 5 ? 'Done' : 'Next' }).press('Enter');
  }
  expect(new Set(titles).size).toBe(5);
  await expect(card).toBeHidden();
  await expect(page.locator('.toured')).toHaveCount(0);
  await expect(page.locator('#tour')).toBeFocused();
  await page.locator('#tour').press('Enter');
  await page.keyboard.press('Escape');
  await expect(card).toBeHidden();
});

test('the words are at the end of the page', async ({ lab }) => {
  const { page } = lab;
  await page.getByText('Words of this page').click();
  await expect(page.getByText('condition number', { exact: true })).toBeVisible();
});
