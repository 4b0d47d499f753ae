import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { clipped, everywhere, schemes, shots, sizes } from './everywhere';
import { expect, type LabPage, test } from './lab-test';
import { stick, unstick } from './unstick';

const sections = ['model', 'data', 'settings', 'train', 'samples', 'token-losses', 'adapters'];

async function open(page: Page, tab: string): Promise<void> {
  await page.getByRole('link', { name: tab, exact: true }).click();
}

/** The bundled model and data, and settings that are quick. */
async function prepare(lab: LabPage): Promise<void> {
  const { page } = lab;
  await page.locator('#load-tiny').click();
  await expect(page.locator('#model .facts')).toBeVisible();
  await page.locator('#use-bundled').click();
  await expect(page.locator('#data .facts')).toBeVisible();
  await lab.set('steps', '24');
  await lab.set('validation', '24');
  await lab.set('validation_every', '8');
  await lab.set('max_tokens', '16');
  for (const run of [0, 1]) await lab.set(`runs.${run}.lr`, '3e-3');
}

test('every view looks as it should, in both themes, on a laptop, on a phone and on a large screen', async ({
  lab,
}) => {
  test.setTimeout(400_000);
  const { page } = lab;
  await expect(page.locator('#train-now')).toBeEnabled();
  await everywhere(page, 'first');
  await page.locator('#tour').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Next' }).click();
  for (const [at, size] of sizes.entries()) {
    await page.setViewportSize(size);
    await page.locator('.toured').evaluate((section) => section.scrollIntoView());
    await page.screenshot({ path: join(shots, `screen-tour-${schemes[at]}-${size.width}.png`) });
  }
  await page.keyboard.press('Escape');

  await page.getByText('How it is read').click();
  await prepare(lab);
  await expect(lab.button('start')).toBeEnabled();
  await lab.start();
  await lab.finished();
  await page.locator('#measure').click();
  await expect(page.locator('#token-losses .heat')).toBeVisible();
  await page.getByText('Storage', { exact: true }).click();
  await expect(page.locator('#storage')).toContainText('Runs of the table');
  // What sticks to the window would cover what is pictured below it.
  await unstick(page);
  await everywhere(page, 'language', [...sections.map((id) => `#${id}`), '#footer']);
  await page.getByText('Storage', { exact: true }).click();

  await open(page, 'Sweep');
  await page.locator('[data-field="sweep.values"] textarea').fill('1e-4, 1e-3, 1e-2, 1e2');
  await lab.field('sweep.validation_every').locator('input').fill('0');
  await page.locator('#sweep-start').click();
  await expect(page.locator('#sweep-status')).toContainText('Finished.', { timeout: 120_000 });
  await everywhere(page, 'sweep', ['#sweep-results', '#sweep-view .setup']);

  await open(page, 'Runs');
  await page.locator('#runs-table tbody tr input[type=checkbox]').nth(1).check();
  await page.locator('#runs-table tbody tr input[type=checkbox]').nth(4).check();
  await page.locator('#runs-compare').click();
  await everywhere(page, 'runs', ['#runs-all', '#compare']);

  await open(page, 'Images');
  await expect(page.locator('#images-load')).toBeVisible();
  await everywhere(page, 'images', ['#images-train', '#images-view .setup']);

  await open(page, 'Theory');
  await expect(page.locator('#theory-status')).toContainText('It took', { timeout: 30_000 });
  await everywhere(page, 'theory', ['#theory-curves', '#theory-view .setup']);

  await stick(page);
  await page.setViewportSize({ width: 3840, height: 2160 });
  for (const tab of ['Language', 'Sweep']) {
    await open(page, tab);
    expect(await clipped(page), `${tab}, 3840 px`).toEqual([]);
    await page.screenshot({ path: join(shots, `screen-${tab.toLowerCase()}-large.png`) });
  }
});

test('what is to know of data and of an adapter can be read, in both themes, on a laptop and on a phone', async ({
  lab,
}) => {
  test.setTimeout(200_000);
  const { page } = lab;
  await lab.loadModel();
  const rows = Array.from({ length: 30 }, (_, row) => `thing ${row};${'it is red. '.repeat(row % 9)}`);
  const bad = ['one field', 'no answer;', 'literal;a <|im_end|> token'];
  await lab.loadText(
    ['question;answer', ...rows, ...bad].join('\n'),
    'a-table-with-a-long-name-of-its-own.csv',
  );
  await expect(page.locator('#left-out')).toContainText('rows left out');
  await page.locator('#validation-file > summary').click();
  const held = { name: 'held-out.txt', mimeType: 'text/plain', buffer: Buffer.from('a||b\nc||d\n') };
  await page.locator('#validation-file input[type=file]').setInputFiles(held);
  await expect(page.locator('#data .facts').first()).toContainText('all of held-out.txt');
  await page.locator('#data .chooser > summary').click();
  await page.getByText('Or from Hugging Face', { exact: true }).click();
  await page.getByLabel('Id of a data set').fill('a data set');
  await page.locator('#look-up-data-set').click();
  await expect(page.locator('#data')).toContainText('is no data set of Hugging Face');
  const folder = join(import.meta.dirname, '..', '..', 'tests', 'fixtures', 'adapters', 'one-layer');
  const adapter = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => join(folder, name));
  await page.locator('#adapters input[type=file]').first().setInputFiles(adapter);
  await expect(page.locator('#adapters .adapter-start')).toContainText('tensors');
  await unstick(page);
  await everywhere(page, 'notices', ['#data', '#adapters']);
});
