import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Page } from '@playwright/test';
import { expectElsewhere, files, lookUp, weights } from './elsewhere';
import { expect, test } from './lab-test';

const open = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' };
const problem = (page: Page) => page.locator('#model .message.bad:visible');

/** A hub with the toy model; `answer` decides about its weights. */
async function hub(page: Page, answer: (from: number) => { status: number; body?: Buffer }): Promise<void> {
  await page.route('https://huggingface.co/**', (route) => {
    const url = new URL(route.request().url());
    if (url.pathname.startsWith('/api/models/')) {
      const siblings = [...files].map(([rfilename, file]) => ({ rfilename, size: file.length }));
      const json = { sha: 'c0ffee', cardData: { license: 'mit' }, siblings };
      return route.fulfill({ headers: open, json });
    }
    const name = basename(url.pathname);
    if (name !== 'model.safetensors') return route.fulfill({ headers: open, body: files.get(name) ?? '' });
    const from = Number(/^bytes=(\d+)-$/.exec(route.request().headers().range ?? '')?.[1] ?? 0);
    return route.fulfill({ headers: open, ...answer(from) });
  });
}

async function download(page: Page, address = 'tiny/llama'): Promise<void> {
  await lookUp(page, address);
  await page.locator('#download-model').click();
}

test('a file that is gone half-way is told, and what came stays for later', async ({ lab }) => {
  const { page } = lab;
  let gone = true;
  await hub(page, (from) => {
    if (from === 0) return { status: 200, body: weights.subarray(0, 50_000) };
    return gone ? { status: 404 } : { status: 206, body: weights.subarray(from) };
  });
  await download(page);
  await expect(problem(page)).toContainText('huggingface.co has no model.safetensors (404)');
  await expect(problem(page)).toContainText('Check the address');
  await expect(page.locator('#kept-models')).toContainText('are here, the rest is missing');
  gone = false;
  await page.getByRole('button', { name: 'Go on downloading tiny/llama' }).click();
  await expect(page.locator('#model .facts')).toContainText('tiny/llama');
  expectElsewhere(lab, 'huggingface.co');
});

test('a model that has no room is loaded all the same, and that it is not kept is said', async ({ lab }) => {
  const { page } = lab;
  await hub(page, () => ({ status: 200, body: weights }));
  // What Chromium tells of an overridden quota is not the quota.
  await page.evaluate(() => {
    StorageManager.prototype.estimate = async () => ({ quota: 100_000, usage: 40_000 });
  });
  await download(page);
  await expect(page.locator('#model .facts')).toContainText('tiny/llama');
  const note = page.locator('#model .message.warn:visible');
  await expect(note).toContainText('the browser has no room to keep it: the next visit downloads it again');
  await expect(note).toContainText('Free some under Storage');
  expectElsewhere(lab, 'huggingface.co');
});

test('a download that finds storage full half-way goes on in memory, and that it is not kept is said', async ({
  lab,
}) => {
  const { page } = lab;
  await hub(page, (from) => ({ status: from > 0 ? 206 : 200, body: weights.subarray(from) }));
  // As when the disk is full: what the browser has told of its room is not true.
  await page.evaluate(() => {
    const { write } = FileSystemWritableFileStream.prototype;
    FileSystemWritableFileStream.prototype.write = function (chunk) {
      const isLarge = chunk instanceof Uint8Array && chunk.length > 20_000;
      return isLarge
        ? Promise.reject(new DOMException('full', 'QuotaExceededError'))
        : write.call(this, chunk);
    };
  });
  await download(page);
  await expect(page.locator('#model .facts')).toContainText('tiny/llama');
  await expect(page.locator('#model .message.warn:visible')).toContainText('no room to keep it');
  expectElsewhere(lab, 'huggingface.co');
});

test('a browser that refuses a file is told about, and the next download is not held up', async ({ lab }) => {
  const { page } = lab;
  await hub(page, () => ({ status: 200, body: weights }));
  await page.evaluate(() => {
    const { getFileHandle } = FileSystemDirectoryHandle.prototype;
    FileSystemDirectoryHandle.prototype.getFileHandle = (name) =>
      Promise.reject(new DOMException(`${name} is refused`, 'NoModificationAllowedError'));
    Object.assign(window, {
      heal: () => Object.assign(FileSystemDirectoryHandle.prototype, { getFileHandle }),
    });
  });
  await download(page);
  await expect(problem(page)).toContainText(/tiny\/llama .* cannot be kept \(record.json is refused\)/);
  await expect(problem(page)).toContainText('drop them here');
  await page.evaluate(() => (Reflect.get(window, 'heal') as () => void)());
  await page.locator('#look-up').click();
  await page.locator('#download-model').click();
  await expect(page.locator('#model .facts')).toContainText('tiny/llama');
  expectElsewhere(lab, 'huggingface.co');
});

test('a model of the site that breaks off for good or is another file says so, and loads after that', async ({
  lab,
}) => {
  const { page } = lab;
  const body = Buffer.alloc(300_000, 'no model');
  const sha256 = createHash('sha256').update(body).digest('hex');
  const entry = { name: 'Served', file: 'tiny.gguf', bytes: body.length, sha256 };
  await page.route('**/models/index.json', (route) =>
    route.fulfill({ json: [{ ...entry, licence: 'MIT', source: 'here' }] }),
  );
  let answer: (from: number) => { status: number; body?: Buffer } = () => ({ status: 404 });
  await page.route('**/models/tiny.gguf*', (route) => {
    const from = Number(/^bytes=(\d+)-$/.exec(route.request().headers().range ?? '')?.[1] ?? 0);
    return route.fulfill(answer(from));
  });
  await page.reload();
  const load = page.getByRole('button', { name: 'Load Served' });
  await load.click();
  await expect(problem(page)).toContainText('has no tiny.gguf (404)');
  const other = Buffer.alloc(300_000, 'another file');
  answer = (from) => ({ status: from > 0 ? 206 : 200, body: other.subarray(from) });
  await load.click();
  await expect(problem(page)).toContainText('its SHA-256 differs');
  await expect(page.locator('#model')).toContainText('300 kB to download');
  answer = (from) => ({ status: from > 0 ? 206 : 200, body: body.subarray(from) });
  await page.evaluate(() => {
    FileSystemWritableFileStream.prototype.write = () =>
      Promise.reject(new DOMException('full', 'QuotaExceededError'));
  });
  await load.click();
  // It is here, and no model.
  await expect(problem(page)).toContainText('tiny.gguf');
  await expect(page.locator('#model .message.warn:visible')).toContainText('no room to keep it');
  await expect(page.locator('#model')).toContainText('300 kB to download');
  expectElsewhere(lab);
});

test('a page whose own model or data cannot be had says so beside the button', async ({ lab }) => {
  const { page } = lab;
  await page.route('**/tiny/model.safetensors', (route) => route.fulfill({ status: 404 }));
  await page.locator('#train-now').click();
  await expect(page.locator('#welcome .message.bad')).toContainText('404 for model.safetensors');
  await expect(page.locator('#welcome .message.bad')).toContainText('Choose another model');
  await page.unroute('**/tiny/model.safetensors');
  await page.route('**/data/wordnet-definitions.txt', (route) => route.abort('connectionreset'));
  await page.locator('#train-now').click();
  await expect(page.locator('#welcome .message.bad')).toContainText('bundled example cannot be read');
  await lab.loadModel();
  expectElsewhere(lab);
});
