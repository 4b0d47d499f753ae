import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Download, Locator } from '@playwright/test';
import { expect, type LabPage, test } from './lab-test';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

async function download(lab: LabPage, button: Locator): Promise<Download> {
  const coming = lab.page.waitForEvent('download');
  await button.click();
  return coming;
}

async function textOf(file: Download): Promise<string> {
  return readFileSync(await file.path(), 'utf8');
}

test('a link carries all settings to another browser', async ({ lab, browser, context, origin }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { page } = lab;
  await lab.set('rank', '3');
  await lab.set('runs.1.lr', '0.0123');
  await lab.set('steps', '77');
  await lab.field('prompt').locator('textarea').fill('Ünïcode & #?');
  await page.locator('#copy-link').click();
  await expect(page.locator('.link-place')).toContainText('The link was copied.');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/#language\/settings=[\w-]+$/);

  const other = await browser.newContext();
  const fresh = await other.newPage();
  await fresh.goto(link);
  const value = (name: string) => fresh.locator(`[data-field="${name}"] input`).first();
  await expect(value('rank')).toHaveValue('3');
  await expect(value('runs.1.lr')).toHaveValue('0.0123');
  await expect(value('steps')).toHaveValue('77');
  await expect(fresh.locator('[data-field="prompt"] textarea')).toHaveValue('Ünïcode & #?');
  await expect(fresh.locator('#link-notice')).toContainText('settings of the link');
  // A reload does not bring the link's settings back over what was changed since.
  expect(fresh.url()).toMatch(/#language$/);
  await value('rank').fill('5');
  await fresh.reload();
  await expect(value('rank')).toHaveValue('5');
  // Opened again where the page is open already, and taken back.
  await fresh.goto(link);
  await expect(value('rank')).toHaveValue('3');
  await fresh.getByRole('button', { name: 'Back to mine' }).click();
  await expect(value('rank')).toHaveValue('5');
  await fresh.goto(`${origin}/#theory`);
  await expect(fresh.locator('#theory-view')).toBeVisible();
  await other.close();
});

test('a link that makes no sense is told about, and changes nothing', async ({ lab, origin }) => {
  const { page } = lab;
  await lab.set('rank', '5');
  await page.goto(`${origin}/?test-hooks#language/settings=nonsense`);
  await expect(page.locator('#link-notice')).toContainText('cannot be read');
  await expect(lab.field('rank').locator('input')).toHaveValue('5');
  await page.getByRole('button', { name: 'All right' }).click();
  await expect(page.locator('#link-notice')).toBeHidden();
});

test('without a clipboard the link can be taken by hand', async ({ lab }) => {
  const { page } = lab;
  await page.evaluate(() => {
    Object.defineProperty(navigator, 'clipboard', { value: undefined });
  });
  await page.locator('#copy-link').click();
  await expect(page.getByLabel('Link to copy')).toHaveValue(/#language\/settings=/);
  await expect(page.getByLabel('Link to copy')).toBeFocused();
});

test('numbers leave as CSV and JSON', async ({ lab }) => {
  const { page } = lab;
  await expect(page.locator('#save-metrics')).toBeHidden();
  await lab.withoutSamples();
  await lab.prepare({ steps: 4, validate: 2 });
  await lab.start();
  await lab.finished();
  const csv = await download(lab, page.getByRole('button', { name: 'Save all numbers as CSV' }));
  expect(csv.suggestedFilename()).toBe('metrics.csv');
  const lines = (await textOf(csv)).trimEnd().split('\r\n');
  expect(lines[0]).toMatch(/^run,method,step,loss,validation_loss,grad_norm,norm_a,/);
  expect(lines).toHaveLength(1 + 2 * 5);
  const [last] = (await lab.losses(0)).slice(-1);
  expect(lines[5]).toContain(`AdamW,AdamW,4,${last},`);
  const json = await download(lab, page.getByRole('button', { name: 'Save all numbers as JSON' }));
  const read = JSON.parse(await textOf(json));
  expect(read).toMatchObject({ format: 'riemann-lora metrics', version: 1, engine: 'cpu', steps_done: 4 });
  expect(read.config.session.steps).toBe(4);
  expect(read.data.name).toBe('pairs.txt');
  expect(read.runs[1].loss).toEqual(await lab.losses(1));
});

for (const scheme of ['light', 'dark'] as const) {
  test(`charts leave as PNG and SVG, ${scheme}`, async ({ lab }) => {
    const { page } = lab;
    await page.emulateMedia({ colorScheme: scheme });
    await expect(page.getByRole('button', { name: 'Save training loss as PNG' })).toBeDisabled();
    await lab.withoutSamples();
    await lab.prepare({ steps: 30, validate: 10 });
    await lab.start();
    await lab.finished();
    for (const name of ['training loss', 'validation loss', 'diagnostics']) {
      const svg = await download(lab, page.getByRole('button', { name: `Save ${name} as SVG` }));
      const text = await textOf(svg);
      expect(svg.suggestedFilename()).toMatch(/^[a-z-]+\.svg$/);
      expect(text).toContain('Scaled AdamW');
      expect(text).not.toMatch(/NaN|undefined|var\(/);
      const wellFormed = await page.evaluate(
        (source) =>
          new DOMParser().parseFromString(source, 'image/svg+xml').querySelector('parsererror') === null,
        text,
      );
      expect(wellFormed).toBe(true);
      const png = await download(lab, page.getByRole('button', { name: `Save ${name} as PNG` }));
      const bytes = readFileSync(await png.path());
      expect(bytes.subarray(1, 4).toString()).toBe('PNG');
      expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1920, 1120]);
      await png.saveAs(join(shots, `saved-${png.suggestedFilename().replace('.png', '')}-${scheme}.png`));
      await svg.saveAs(join(shots, `saved-${svg.suggestedFilename().replace('.svg', '')}-${scheme}.svg`));
    }
    await page.goto(`${new URL(page.url()).origin}/?test-hooks#theory`);
    const save = page.getByRole('button', { name: 'Save relative error as PNG' });
    await expect(save).toBeEnabled();
    await expect(page.locator('#theory-status')).toContainText('It took', { timeout: 60_000 });
    const png = await download(lab, save);
    await png.saveAs(join(shots, `saved-relative-error-${scheme}.png`));
  });
}
