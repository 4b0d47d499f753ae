import { expect, pairs, test } from './lab-test';

test('a button that cannot be pressed for a while gives the focus to its heading, and takes it back', async ({
  lab,
}) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 60 });
  const start = lab.button('start');
  await start.focus();
  await lab.begins(() => start.press('Enter'));
  await expect(page.locator('#train-title')).toBeFocused();
  await lab.finished();
  await expect(start).toBeFocused();
});

test('a box that closes gives the focus to what opens it again', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  const use = page.locator('#use-bundled');
  await use.focus();
  await use.press('Enter');
  await expect(page.locator('#data .facts')).toContainText('wordnet-definitions.txt');
  await expect(page.locator('#data .chooser > summary')).toBeFocused();
});

test('who points elsewhere is not called back', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  await lab.loadText(pairs());
  await expect(page.locator('#data .facts')).toBeVisible();
  const remove = page.getByRole('button', { name: 'Remove Scaled AdamW' });
  await remove.focus();
  await page.locator('h1').click();
  await page.evaluate(() => document.querySelector('.run:last-child')?.remove());
  await page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  });
  await expect(page.locator('body')).toBeFocused();
});

test('runs that are deleted leave the focus at the way back, and that leaves it where it came from', async ({
  lab,
}) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 3 });
  await lab.start();
  await lab.finished();
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.getByRole('checkbox', { name: 'Choose AdamW', exact: true }).check();
  await page.locator('#runs-delete').press('Enter');
  await expect(page.locator('#runs-undo')).toBeFocused();
  await page.locator('#runs-undo').press('Enter');
  await expect(page.locator('#runs-table tbody tr')).toHaveCount(2);
  // Delete has nothing to delete now.
  await expect(page.locator('#runs-title')).toBeFocused();
});
