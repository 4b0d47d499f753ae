import { join } from 'node:path';
import { expectClean } from './clean';
import { expect, test } from './lab-test';
import { unstick } from './unstick';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');

test('one button holds a tournament, and what the page says of it is what was measured', async ({ lab }) => {
  const { page } = lab;
  await lab.begins(() => page.getByRole('button', { name: 'Train now' }).click());
  await expect(page.locator('#model .facts')).toContainText('riemann-lora-tiny');
  await lab.finished();
  const rows = page.locator('#readouts tbody tr');
  const measured = await rows.evaluateAll((all) =>
    all.map((row) => ({
      name: row.getAttribute('data-run') ?? '',
      loss: Number(row.querySelector('[data-column="Validation"]')?.textContent),
      first: Number(row.querySelector('[data-column="First loss"]')?.textContent),
    })),
  );
  expect(measured).toHaveLength(12);
  const methods = ['SGD', 'Scaled GD', 'AdamW', 'Scaled AdamW'];
  const best = methods.map((method) => {
    const own = measured.filter(({ name }) => name.startsWith(`${method} at `));
    expect(own).toHaveLength(3);
    return own.reduce((one, other) => (other.loss < one.loss ? other : one));
  });
  const verdict = page.locator('#verdict');
  for (const { name, loss, first } of best) {
    expect(loss).toBeLessThan(0.8 * first);
    const rate = name.split(' at ')[1] ?? '';
    await expect(verdict).toContainText(`${loss.toPrecision(4)} at lr ${rate}`);
  }
  await expect(verdict).not.toContainText('So far');

  // The curves and answers are those of each method's best, until others are asked for.
  const legend = page.locator('#train .charts-head .chart-legend');
  const shown = () =>
    page.locator('#samples .sample-group').first().locator('.answer:not([hidden]) h4').allInnerTexts();
  await expect(legend.locator('.swatch')).toHaveCount(4);
  expect(await shown()).toEqual(['Base', ...best.map(({ name }) => name)]);
  await page.getByRole('radio', { name: 'Same rate' }).check({ force: true });
  await page.getByLabel('Value whose runs have curves').selectOption({ label: 'lr 0.03' });
  // Only AdamW, plain and preconditioned, is trained there.
  await expect(legend.locator('.swatch')).toHaveCount(2);
  await page.getByRole('radio', { name: 'All runs' }).check({ force: true });
  await expect(legend.locator('.swatch')).toHaveCount(12);
  await expect.poll(async () => (await shown()).length).toBe(13);
  await page.getByRole('radio', { name: 'Each at its best' }).check({ force: true });
  await expectClean(page);
  await unstick(page);
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
