import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { packedLlama } from './gguf';
import { expect, modelFiles, pairs, test } from './lab-test';

const noModel: Buffer = Buffer.alloc(300_000, 'no model');
const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A site that serves one file; unless it is given a model, what is tested is how one is fetched. */
async function serve(
  page: Page,
  entry: Record<string, unknown> | null,
  bytes: Buffer = noModel,
): Promise<void> {
  const model = {
    name: 'Served',
    file: 'tiny.gguf',
    bytes: bytes.length,
    sha256: digestOf(bytes),
    licence: 'MIT',
    source: 'here',
  };
  await page.route('**/models/index.json', (route) =>
    entry === null ? route.fulfill({ status: 404 }) : route.fulfill({ json: [{ ...model, ...entry }] }),
  );
  await page.route('**/models/tiny.gguf*', (route) => route.fulfill({ body: bytes }));
  await page.reload();
}

test('a site without models says so', async ({ lab }) => {
  await serve(lab.page, null);
  await expect(lab.page.locator('#model')).toContainText('This site serves no model');
  await lab.loadModel();
});

test('a model of the site is downloaded once, checked and kept', async ({ lab }) => {
  const { page } = lab;
  await serve(page, {});
  await expect(page.locator('#model')).toContainText('300 kB to download');
  let downloads = 0;
  page.on('request', (request) => {
    if (request.url().includes('tiny.gguf')) downloads += 1;
  });
  await page.getByRole('button', { name: 'Load Served' }).click();
  await expect(page.locator('#model .message.bad:visible')).toContainText('tiny.gguf');
  await expect(page.locator('#model')).toContainText('kept in this browser');
  await page.reload();
  await page.getByRole('button', { name: 'Load Served' }).click();
  await expect(page.locator('#model .message.bad:visible')).toContainText('tiny.gguf');
  expect(downloads).toBe(1);
});

test('a download of the site’s model that broke off goes on where it was, also at the next visit', async ({
  lab,
}) => {
  const { page } = lab;
  await serve(page, {});
  const asked: (string | undefined)[] = [];
  let breaks = true;
  await page.route('**/models/tiny.gguf*', (route) => {
    const { range } = route.request().headers();
    asked.push(range);
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    if (breaks && from > 0) return route.fulfill({ status: 404 });
    // A third of it, and the connection is gone.
    const body = breaks ? noModel.subarray(0, 100_000) : noModel.subarray(from);
    return route.fulfill({ status: from > 0 ? 206 : 200, body });
  });
  await page.getByRole('button', { name: 'Load Served' }).click();
  await expect(page.locator('#model .message.bad:visible')).toContainText('404');
  await expect(page.locator('#model')).toContainText('300 kB to download, 100 kB of them are here');
  await page.reload();
  breaks = false;
  await expect(page.locator('#model')).toContainText('100 kB of them are here');
  await page.getByRole('button', { name: 'Load Served' }).click();
  await expect(page.locator('#model .message.bad:visible')).toContainText('tiny.gguf');
  await expect(page.locator('#model')).toContainText('kept in this browser');
  expect(asked).toEqual([undefined, 'bytes=100000-', 'bytes=100000-']);
  // What Chromium says about the 404 is no fault of the page.
  lab.wrong.splice(0, lab.wrong.length, ...lab.wrong.filter((words) => !words.includes('404')));
});

test('a model of the site is loaded, trained, kept, and loaded again without a download', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await serve(page, {}, packedLlama());
  let downloads = 0;
  page.on('request', (request) => {
    if (request.url().includes('tiny.gguf')) downloads += 1;
  });
  const load = page.getByRole('button', { name: 'Load Served' });
  const facts = page.locator('#model .facts');
  await load.click();
  await expect(facts).toContainText('Served');
  await expect(facts).toContainText('1 × 64');
  await expect(page.locator('#model .message.bad:visible')).toHaveCount(0);
  await lab.loadText(pairs());
  await expect(page.locator('#data .facts')).toBeVisible();
  await lab.set('steps', '8');
  await lab.set('validation_every', '0');
  for (const run of [0, 1]) await lab.set(`runs.${run}.lr`, '1e-2');
  await lab.start();
  await lab.finished();
  const losses = (await lab.losses(0)).map((loss) => loss ?? Number.NaN);
  expect(losses).toHaveLength(8);
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? Number.NaN);
  await page.reload();
  await expect(page.locator('#model')).toContainText('kept in this browser');
  await load.click();
  await expect(facts).toContainText('Served');
  expect(downloads).toBe(1);
});

test('a file that is not the promised one is refused and not kept', async ({ lab }) => {
  const { page } = lab;
  await serve(page, { sha256: '0'.repeat(64) });
  await page.getByRole('button', { name: 'Load Served' }).click();
  await expect(page.locator('#model .message.bad:visible')).toContainText('SHA-256');
  await expect(page.locator('#model')).toContainText('300 kB to download');
});

test('a download can be cancelled', async ({ lab }) => {
  const { page } = lab;
  await serve(page, {});
  await page.route('**/models/tiny.gguf*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await route.fulfill({ body: noModel }).catch(() => {});
  });
  await page.getByRole('button', { name: 'Load Served' }).click();
  await page.locator('#model').getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('#model .message.bad:visible')).toContainText('cancelled');
});

test('files can be dropped onto the page', async ({ lab }) => {
  const { page } = lab;
  const files = modelFiles.map((path) => ({
    name: path.split('/').at(-1) ?? path,
    base64: readFileSync(path).toString('base64'),
  }));
  await page.evaluate((dropped) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of dropped) {
      transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name));
    }
    const zone = document.querySelector('#model .drop');
    zone?.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, files);
  await expect(page.locator('#model .facts')).toContainText('llama');
});

/** Drops files onto the first element that `selector` finds, as the browser does; answers whether the page took them. */
function drop(page: Page, selector: string, files: Record<string, string>): Promise<boolean> {
  return page
    .locator(selector)
    .first()
    .evaluate((target, dropped) => {
      const transfer = new DataTransfer();
      for (const [name, text] of Object.entries(dropped)) transfer.items.add(new File([text], name));
      const event = { dataTransfer: transfer, bubbles: true, cancelable: true };
      const over = target.dispatchEvent(new DragEvent('dragover', event));
      // What is not prevented, the browser opens in place of the page.
      return !over && !target.dispatchEvent(new DragEvent('drop', event));
    }, files);
}

test('a file that falls beside the boxes stays in the page, which asks what it is', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  const beside = page.locator('#dropped-beside');
  await expect(beside).toBeHidden();
  expect(await drop(page, 'h1', { 'beside.txt': pairs() })).toBe(true);
  await expect(beside).toContainText('beside.txt fell beside the boxes');
  const choices = beside.getByRole('button');
  await expect(choices).toHaveText([
    'A model',
    'Data',
    'A validation file',
    'An adapter to start from',
    'Nothing',
  ]);
  await choices.nth(1).press('Enter');
  await expect(beside).toBeHidden();
  await expect(page.locator('#data-title')).toBeFocused();
  await expect(page.locator('#data .facts')).toContainText('beside.txt');
  await page.getByRole('link', { name: 'Theory', exact: true }).click();
  await expect(page.locator('#theory-view')).toBeVisible();
  expect(await drop(page, 'body', { 'again.txt': pairs() })).toBe(true);
  await expect(beside).toContainText('Nothing takes files here now');
  await page.keyboard.press('Tab');
  await beside.getByRole('button').press('Escape');
  await expect(beside).toBeHidden();
});

test('of several files, those that are not taken are named', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  expect(await drop(page, '#data .drop', { 'one.txt': pairs(), 'two.txt': pairs(), 'three.txt': 'x' })).toBe(
    true,
  );
  await expect(page.locator('#data .facts')).toContainText('one.txt');
  await page.getByText('Choose data').click();
  const place = page.locator('#data .drop-place').first();
  await expect(place).toContainText('two.txt and three.txt were not taken. One file is read at a time');
  await lab.loadText(pairs());
  await expect(page.locator('#data .facts')).toContainText('pairs.txt');
  await page.getByText('Choose data').click();
  await expect(place).not.toContainText('not taken');
});

test('text can be pasted, and the bundled example is there', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  await page.getByText('Or paste it').click();
  await page
    .getByLabel('Paste text')
    .fill('word : river||A river is water.\nword : hill||A hill is high.\n'.repeat(20));
  await page.getByRole('button', { name: 'Use this text' }).click();
  await expect(page.locator('#data .facts')).toContainText('pasted.txt');
  await expect(page.locator('#data .examples li').first().locator('mark')).toContainText('is');
  await page.getByText('Choose data').click();
  await page.locator('#use-bundled').click();
  await expect(page.locator('#data .facts')).toContainText('wordnet-definitions.txt');
});
