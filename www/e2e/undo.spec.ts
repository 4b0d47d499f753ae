import { expect, modelFiles, pairs, test } from './lab-test';

test('defaults and removed runs can be taken back', async ({ lab }) => {
  const { page } = lab;
  const rank = lab.field('rank').locator('input');
  const undo = page.locator('#settings-undo');
  const said = page.locator('#settings-status');
  await expect(undo).toBeHidden();
  await lab.set('rank', '5');
  await lab.set('runs.1.lr', '7e-3');
  await lab.field('runs.1.name').locator('input').fill('Mine');
  const reset = page.locator('#settings').getByRole('button', { name: 'Back to defaults' });
  await reset.focus();
  await reset.press('Enter');
  await expect(rank).toHaveValue('8');
  await expect(said).toHaveText('These are the defaults.');
  await expect(reset).toBeFocused();
  await undo.press('Enter');
  await expect(rank).toHaveValue('5');
  await expect(lab.field('runs.1.lr').locator('input').first()).toHaveValue('7e-3');
  await expect(said).toHaveText('Your settings are back.');
  await expect(undo).toBeHidden();
  await expect(reset).toBeFocused();

  await page.getByRole('button', { name: 'Remove AdamW' }).click();
  await expect(page.locator('.run')).toHaveCount(1);
  await expect(said).toHaveText('AdamW removed.');
  await lab.set('rank', '6');
  await undo.click();
  await expect(page.locator('.run')).toHaveCount(2);
  await expect(lab.field('runs.0.name').locator('input')).toHaveValue('AdamW');
  await expect(lab.field('runs.1.name').locator('input')).toHaveValue('Mine');
  // What was changed since is not a part of it.
  await expect(rank).toHaveValue('6');
});

test('Train now gives back the settings, the model and the data that were there', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel(modelFiles);
  await lab.loadText(pairs(), 'mine.txt');
  await expect(page.locator('#data .facts')).toContainText('mine.txt');
  const model = await page.locator('#model .facts').innerText();
  await lab.set('rank', '5');
  const train = page.getByRole('button', { name: 'Train now' });
  await train.focus();
  await lab.begins(() => train.press('Enter'));
  await expect(page.locator('#train')).toBeFocused();
  const undo = page.locator('#train-now-undo');
  await expect(page.locator('#train-now-status')).toContainText('in place of your settings, model and data');
  await expect(undo).toBeDisabled();
  await lab.button('stop').click();
  await expect(undo).toBeEnabled();
  await undo.click();
  await expect(lab.field('rank').locator('input')).toHaveValue('5');
  await expect(page.locator('#data .facts')).toContainText('mine.txt');
  await expect(page.locator('#model .facts')).toHaveText(model, { useInnerText: true });
  await expect(page.locator('#train-now-status')).toContainText('came back');
  await expect(lab.button('start')).toBeEnabled();
});

test('Train now has nothing to give back to a newcomer', async ({ lab }) => {
  const { page } = lab;
  await lab.begins(() => page.getByRole('button', { name: 'Train now' }).click());
  await expect(page.locator('#train-now-undo')).toBeHidden();
  await lab.button('stop').click();
  await expect(page.locator('#status')).toContainText('Stopped');
});

test('the welcome that was hidden comes back, at once and on later visits, and so does the tour', async ({
  lab,
}) => {
  const { page } = lab;
  const welcome = page.locator('#welcome');
  await expect(page.locator('#recall-welcome')).toBeHidden();
  await page.getByRole('button', { name: 'Hide this' }).press('Enter');
  await expect(welcome).toBeHidden();
  const undo = page.locator('#welcome-undo');
  await expect(undo).toBeFocused();
  await undo.press('Enter');
  await expect(welcome).toBeVisible();
  await expect(page.getByRole('button', { name: 'Hide this' })).toBeFocused();

  await page.getByRole('button', { name: 'Hide this' }).click();
  await page.reload();
  await expect(page.locator('#start')).toBeVisible();
  await expect(welcome).toBeHidden();
  await page.locator('#tour-again').click();
  await expect(page.getByRole('dialog')).toContainText('1 of 5');
  await page.keyboard.press('Escape');
  await expect(page.locator('#tour-again')).toBeFocused();
  await page.locator('#recall-welcome').click();
  await expect(welcome).toBeVisible();
  await expect(page.getByRole('heading', { name: 'See it in a minute' })).toBeFocused();
  await page.reload();
  await expect(welcome).toBeVisible();
});
