import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { everywhere } from './everywhere';
import { expect, test } from './lab-test';

const folder = mkdtempSync(join(tmpdir(), 'scripts-'));

async function open(page: Page, tab: 'Sweep' | 'Runs' | 'Language' | 'Images'): Promise<void> {
  await page.getByRole('link', { name: tab, exact: true }).click();
}

/** What a button downloads, as a file. */
async function saved(page: Page, button: string): Promise<string> {
  const download = page.waitForEvent('download');
  await page.locator(button).click();
  const path = join(folder, (await download).suggestedFilename());
  await (await download).saveAs(path);
  return path;
}

/** Results as the script of a sweep keeps them, of losses that nobody has trained. */
function resultsOf(script: string): string {
  const text = readFileSync(script, 'utf8');
  const settings = text.slice(
    text.indexOf('# What the page knows'),
    text.indexOf('# Optimizers and schedules'),
  );
  const keeping = text.slice(text.indexOf('FORMAT = "riemann-lora sweep"'), text.indexOf('class Dead('));
  const path = join(folder, 'sweep-results.json');
  const code = [
    'import json, pathlib, time',
    settings,
    keeping,
    `results = Results(pathlib.Path(${JSON.stringify(path)}))`,
    'for number, trial in enumerate(TRIALS):',
    '    losses = [5 - number / 10 - step / 10 for step in range(12)]',
    '    validation = {0: 5.0, 12: 5 - abs(number - 2)}',
    '    results.add(trial, {"losses": losses, "validation": validation, "diverged_at": None})',
  ];
  const answer = spawnSync('python3', ['-c', code.join('\n')], { encoding: 'utf8' });
  expect(answer.stderr).toBe('');
  return path;
}

test('a sweep leaves as a script, and its results open in Sweep and Runs', async ({ lab }) => {
  test.slow();
  const { page } = lab;
  await open(page, 'Sweep');
  await page.locator('#save-script-sweep').click();
  await expect(page.getByText('Load a model and data in the Language tab first.')).not.toHaveCount(0);
  await open(page, 'Language');
  await lab.withoutSamples();
  await lab.prepare({ steps: 12 });
  await open(page, 'Sweep');
  await page.locator('[data-field="sweep.values"] textarea').fill('1e-3, 1e-2');
  const script = await saved(page, '#save-script-sweep');
  await expect(page.getByText('Saved as sweep.py.')).toBeVisible();
  expect(readFileSync(script, 'utf8')).toContain('"name": "Scaled AdamW (safe) at lr 0.01"');

  const results = resultsOf(script);
  const field = page.locator('#sweep-results input[type=file]');
  await field.setInputFiles(results);
  await expect(page.locator('#sweep-opened')).toHaveText('sweep-results.json: 4 results, 4 new here.');
  await expect(page.locator('#sweep-summary tbody tr')).toHaveCount(2);
  await expect(page.locator('#sweep-start')).toHaveText('Train');
  await field.setInputFiles(results);
  await expect(page.locator('#sweep-opened')).toContainText('none of them new here');
  const again = await saved(page, '[aria-label="Save the results of the sweep as JSON"]');
  expect(JSON.parse(readFileSync(again, 'utf8')).sweep.results).toHaveLength(4);
  writeFileSync(join(folder, 'other.json'), '{"format": "other"}');
  await field.setInputFiles(join(folder, 'other.json'));
  await expect(page.getByText('other.json does not hold results of a sweep')).toBeVisible();
  await page.getByText('Read the script').last().scrollIntoViewIfNeeded();
  await everywhere(page, 'sweep-script', ['section:has(> #sweep-script-title)', '#sweep-results']);

  await page.setViewportSize({ width: 1280, height: 800 });
  await open(page, 'Runs');
  await expect(page.locator('#runs-table tbody tr')).toHaveCount(4);
  await page.locator('#runs-all input[type=file]').setInputFiles(results);
  await expect(page.locator('#runs-status')).toContainText('none of them new here');
  await everywhere(page, 'runs-opened', ['#runs-all']);
});

test('the experiment on pictures leaves as a script, with captions', async ({ lab }) => {
  test.slow();
  const { page } = lab;
  await open(page, 'Images');
  const script = await saved(page, '#save-script-images');
  expect(readFileSync(script, 'utf8')).toContain(
    'create_riemannian_optimizer(model, torch.optim.AdamW, lr=lr, reg=reg',
  );
  await expect(page.locator('#save-pictures')).toBeHidden();
  const picture = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'images-light.png'));
  await page
    .locator('#images .drop input[type=file], .drop input[accept="image/*,.svg"]')
    .first()
    .setInputFiles([{ name: 'a cat.png', mimeType: 'image/png', buffer: picture }]);
  await expect(page.locator('#save-pictures')).toHaveText('Save captions');
  const captions = await saved(page, '#save-pictures');
  expect(JSON.parse(readFileSync(captions, 'utf8'))).toEqual({ file_name: 'a cat.png', text: 'a cat' });
  await everywhere(page, 'images-script', ['section:has(#save-pictures)']);
});
