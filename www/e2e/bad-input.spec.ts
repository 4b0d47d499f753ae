import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, modelFiles, pairs, test } from './lab-test';

const [config = '', weights = '', tokenizer = ''] = modelFiles;
const upload = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });

/** The name under which settings are kept, once there are some. */
async function kept(page: Page): Promise<string> {
  await page.locator('#target-k_proj').check();
  const key = 'riemann-lora.config';
  // A moment after the last change.
  await expect.poll(() => page.evaluate((name) => localStorage.getItem(name), key)).toContain('k_proj');
  return key;
}

test('files that are no model say so, and a good model loads afterwards', async ({ lab }) => {
  const input = lab.page.locator('#model input[type=file]').first();
  const problem = lab.page.locator('#model .message.bad:visible');
  await input.setInputFiles(upload('holiday.gguf', Buffer.from('this is no model at all')));
  await expect(problem).toContainText('holiday.gguf');
  await input.setInputFiles(upload('notes.txt', Buffer.from('hello')));
  await expect(problem).toContainText('notes.txt');
  const cut = readFileSync(weights).subarray(0, 60_000);
  await input.setInputFiles([
    upload('config.json', readFileSync(config)),
    upload('model.safetensors', cut),
    upload('tokenizer.json', readFileSync(tokenizer)),
  ]);
  await expect(problem).toContainText('model.safetensors');
  await lab.loadModel();
  await expect(problem).toBeHidden();
});

test('data that cannot be trained on says why', async ({ lab }) => {
  await lab.loadModel();
  const problem = lab.page.locator('#data .message.bad:visible');
  await lab.loadText('');
  await expect(problem).toContainText(/empty|nothing|no /i);
  await lab.loadText(pairs());
  await expect(problem).toBeHidden();
  await expect(lab.page.locator('#data .facts')).toBeVisible();
  await lab.page.getByText('How it is read').click();
  await lab.set('sequence_length', '4000');
  await lab.page.locator('#read-data').click();
  await expect(lab.field('sequence_length').locator('.problem')).toContainText('128');
  await expect(lab.field('sequence_length').locator('input')).toHaveAttribute('aria-invalid', 'true');
  await lab.set('sequence_length', '64');
  await lab.page.locator('#read-data').click();
  await expect(lab.page.locator('#data .facts')).toBeVisible();
  await expect(lab.button('start')).toBeEnabled();
});

test('settings out of range are refused at their field', async ({ lab }) => {
  await lab.prepare();
  const wrong: [string, string, string][] = [
    ['rank', '0', '8'],
    ['alpha', 'many', '16'],
    ['dropout', '1', '0'],
    ['batch_size', '', '4'],
    ['steps', '2.5', '20'],
    ['runs.1.lr', '-1', '1e-3'],
  ];
  for (const [field, bad, good] of wrong) {
    await lab.set(field, bad);
    await expect(lab.field(field).locator('.problem')).toContainText('must be');
    await expect(lab.field(field).locator('input').first()).toHaveAttribute('aria-invalid', 'true');
    await expect(lab.button('start')).toBeDisabled();
    await expect(lab.page.locator('#status')).toContainText('1 setting needs attention');
    await lab.set(field, good);
    await expect(lab.field(field).locator('.problem')).toBeHidden();
    await expect(lab.button('start')).toBeEnabled();
  }
});

test('a number is read as the page prints it, and what could be two is refused by name', async ({ lab }) => {
  const { page } = lab;
  await lab.prepare();
  const steps = lab.field('steps').locator('input');
  await steps.fill('1,000');
  await expect(lab.button('start')).toBeEnabled();
  await expect(page.locator('#step-count')).toHaveText('0 / 1,000');
  await steps.blur();
  await expect(steps).toHaveValue('1000');
  await steps.fill('1.000.000');
  await expect(lab.field('steps').locator('.problem')).toContainText('can be read in more than one way');
  await steps.blur();
  // It is there to be mended, whatever else is changed.
  await lab.set('rank', '4');
  await expect(steps).toHaveValue('1.000.000');
  await expect(lab.field('steps').locator('.problem')).toContainText('can be read in more than one way');
  // From one wrong value to the next, what is wrong stays said.
  for (const wrong of ['', 'many', '0', '1e9']) {
    await steps.fill(wrong);
    await expect(lab.field('steps').locator('.problem')).toContainText('Steps must be a whole number');
  }
  await steps.fill('20');
  await expect(lab.field('steps').locator('.problem')).toBeHidden();
  await page.locator('.run').nth(0).getByText('More', { exact: true }).click();
  const clip = lab.field('runs.0.max_grad_norm');
  await clip.locator('input').fill('one');
  await expect(clip.locator('.problem')).toContainText('“one” is no number');
  await expect(lab.button('start')).toBeDisabled();
  await clip.locator('input').fill('');
  await expect(clip.locator('.problem')).toBeHidden();
  await expect(lab.button('start')).toBeEnabled();
});

test('a known bad pairing of betas and damping is warned of', async ({ lab }) => {
  const run = lab.page.locator('.run').nth(1);
  await run.getByText('More', { exact: true }).click();
  await lab.set('runs.1.damping', '1e-6');
  await expect(run.locator('.message.warn')).toContainText('damping');
  await run.getByLabel('Preset').selectOption({ label: 'Paper' });
  await expect(run.locator('.message.warn')).toBeHidden();
});

test('settings that do not fit into memory are refused with a way out', async ({ lab }) => {
  const { page } = lab;
  await page.evaluate(
    (key) => {
      const config = JSON.parse(localStorage.getItem(key) ?? '{}');
      config.runs = Array.from({ length: 60 }, (_, index) => ({ ...config.runs[0], name: `Run ${index}` }));
      config.session.batch_size = 256;
      config.session.dropout = 0.1;
      config.session.targets = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'].map((name) => `${name}_proj`);
      config.data.sequence_length = 128;
      localStorage.setItem(key, JSON.stringify(config));
      // This tab would find its own.
      sessionStorage.clear();
    },
    await kept(page),
  );
  await page.reload();
  await lab.loadModel();
  await lab.loadText(
    pairs().replaceAll('.', ', and that is all that can be said about it here and now, be it long or short.'),
  );
  await expect(page.locator('#status')).toContainText('smaller');
  await expect(page.locator('#estimate')).toContainText('of 4.3 GB');
  await expect(lab.button('start')).toBeDisabled();
  await lab.set('batch_size', '2');
  await expect(lab.button('start')).toBeEnabled();
});

test('kept settings that are nonsense do not break the page', async ({ lab }) => {
  await lab.page.evaluate(() => {
    localStorage.setItem(
      'riemann-lora.config',
      JSON.stringify({ version: 1, session: { rank: 'x' }, runs: [{ lr: {} }, null], engine: 'abacus' }),
    );
  });
  await lab.page.reload();
  await lab.page.waitForFunction(() => window.testHooks !== undefined);
  await expect(lab.field('rank').locator('input')).toHaveValue('8');
  await expect(lab.page.locator('#train .message.warn:visible')).toContainText('default');
});

test('settings are kept across reloads', async ({ lab }) => {
  await lab.set('rank', '5');
  await lab.page.getByRole('button', { name: 'Duplicate AdamW', exact: true }).click();
  await lab.page.reload();
  await expect(lab.field('rank').locator('input')).toHaveValue('5');
  await expect(lab.page.locator('.run')).toHaveCount(3);
});
