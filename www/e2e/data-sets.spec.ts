import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expectElsewhere } from './elsewhere';
import { expect, pairs, test } from './lab-test';

const content = readFileSync(
  join(import.meta.dirname, '..', '..', 'tests', 'fixtures', 'parquet', 'pairs.parquet'),
);
const open = { 'access-control-allow-origin': '*' };
const file = (name: string, text: string | Buffer) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(text),
});

/** A hub with one data set in two splits; the ranges that are asked of its files. `wait` holds back what comes after the first rows. */
async function hub(page: Page, wait: Promise<void> = Promise.resolve()): Promise<string[]> {
  const asked: string[] = [];
  await page.route('https://huggingface.co/**', async (route) => {
    const url = new URL(route.request().url());
    if (url.pathname.startsWith('/api/datasets/me/things/tree/')) {
      const files = ['main/train', 'main/test'].map((split) => ({
        type: 'file',
        path: `${split}/0000.parquet`,
        size: content.length,
      }));
      return route.fulfill({ headers: open, json: files });
    }
    if (!url.pathname.startsWith('/datasets/me/things/'))
      return route.fulfill({ status: 404, headers: open });
    const range = route.request().headers().range ?? '';
    const [from = 0, to = 0] = range.match(/\d+/g)?.map(Number) ?? [];
    // The footer and the first rows are asked for first.
    if (asked.length >= 2) await wait;
    asked.push(range);
    return route.fulfill({ status: 206, headers: open, body: content.subarray(from, to + 1) });
  });
  return asked;
}

async function lookUp(page: Page, id: string): Promise<void> {
  const section = page.locator('#data');
  if (!(await section.getByLabel('Id of a data set').isVisible())) {
    await section.getByText('Or from Hugging Face').click();
  }
  await section.getByLabel('Id of a data set').fill(id);
  await page.locator('#look-up-data-set').click();
}

test('a data set of Hugging Face is looked up by its id, its first rows come at once, and then all', async ({
  lab,
}) => {
  const { page } = lab;
  let goOn = () => {};
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const asked = await hub(page, waiting);
  await lab.loadModel();
  await lookUp(page, 'me/nothing');
  await expect(page.locator('#data')).toContainText('huggingface.co has no me/nothing (404)');
  await lookUp(page, 'https://huggingface.co/datasets/me/things');
  const choice = page.locator('#data').getByLabel('Configuration and split');
  await expect(choice.locator('option')).toHaveText([/^main, train: /, /^main, test: /]);
  await expect(page.locator('#data-set-splits')).toContainText('are downloaded, in 1 file');
  // Nothing of a file was asked so far.
  expect(asked).toEqual([]);
  await page.locator('#get-data-set').click();
  const facts = page.locator('#data .facts').first();
  await expect(facts).toContainText('me-things-main-train.parquet (first 16 rows)');
  await expect(facts).toContainText('14 examples');
  goOn();
  await expect(facts).toContainText('36 examples');
  await expect(facts).not.toContainText('first 16 rows');
  await expect(facts).toContainText('question → answer');
  await page.locator('#data .chooser > summary').click();
  await choice.selectOption({ index: 1 });
  await page.locator('#get-validation-set').click();
  await expect(facts).toContainText('40 examples');
  await expect(facts).toContainText('all of me-things-main-test.parquet');
  await expect(lab.button('start')).toBeEnabled();
  expectElsewhere(lab, 'huggingface.co');
});

test('a parquet file and a validation file of one’s own are read, shown, kept and taken away', async ({
  lab,
}) => {
  const { page } = lab;
  await lab.loadModel();
  await page.locator('#data input[type=file]').first().setInputFiles(file('things.parquet', content));
  const facts = page.locator('#data .facts').first();
  await expect(facts).toContainText('36 examples');
  await page.locator('#validation-file > summary').click();
  const held = page.locator('#validation-file input[type=file]');
  await held.setInputFiles(file('held.txt', 'a||b\nc||d\n'));
  await expect(facts).toContainText('40 examples');
  await expect(facts).toContainText('2 examples, all of held.txt');
  await expect(page.locator('#validation-words')).toContainText('Measured on held.txt');
  await held.setInputFiles(file('broken.parquet', content.subarray(0, 100)));
  await expect(page.locator('#validation-file')).toContainText('broken.parquet cannot be read as parquet');
  await held.setInputFiles(file('empty.txt', ' \n'));
  await expect(page.locator('#data')).toContainText('empty.txt: is empty');
  await page.locator('#no-validation-file').click();
  await expect(facts).toContainText('36 examples');
  await lab.loadText(pairs());
  await expect(facts).toContainText('pairs.txt');
});
