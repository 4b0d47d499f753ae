import { expect, test } from '../e2e/lab-test';

/** The default model's known answer, on the page: its tokenizer, chat template, weights and cache at once. */
test('answer', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await page.getByRole('button', { name: /^Load SmolLM2/ }).click();
  await expect(page.locator('#model .facts')).toContainText('llama', { timeout: 300_000 });
  await page.locator('#use-bundled').click();
  await expect(page.locator('#data .facts')).toContainText('wordnet-definitions.txt', { timeout: 60_000 });
  await lab.set('validation_every', '0');
  await lab.button('step').click();
  await expect(page.locator('#status')).toHaveText('Paused.', { timeout: 300_000 });
  await page.getByLabel('As a turn of a chat').check();
  await lab.field('prompt').locator('textarea').fill('What is the capital of France?');
  await lab.set('max_tokens', '16');
  await lab.set('temperature', '0');
  await page.locator('#write').click();
  await expect(page.locator('.sample-group .answer-text').first()).toHaveText(
    'The capital of France is Paris.',
    {
      timeout: 120_000,
    },
  );
});
