import { basename } from 'node:path';
import type { Page } from '@playwright/test';
import { expectElsewhere, files, lookUp, weights } from './elsewhere';
import { expect, test } from './lab-test';

const open = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' };
const problem = (page: Page) => page.locator('#model .message.bad:visible');

async function limitStorage(page: Page, quotaSize: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(page.url()).origin, quotaSize });
}

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
  expectElsewhere(lab, 'huggingface.co', 'example.org');
});

test('a model that has no room is refused before anything is downloaded', async ({ lab }) => {
  const { page } = lab;
  let asked = 0;
  await hub(page, () => {
    asked += 1;
    return { status: 200, body: weights };
  });
  // What Chromium tells of an overridden quota is not the quota.
  await page.evaluate(() => {
    StorageManager.prototype.estimate = async () => ({ quota: 100_000, usage: 40_000 });
  });
  await download(page);
  await expect(problem(page)).toContainText(/tiny\/llama .* needs 1\d\d kB, and the browser has 60 kB left/);
  await expect(problem(page)).toContainText('Free some under Storage');
  expect(asked).toBe(0);
  // What is dropped needs no room.
  await lab.loadModel();
  expectElsewhere(lab, 'huggingface.co', 'example.org');
});

test('storage that is full half-way is told where it happened, with a way out', async ({ lab }) => {
  const { page } = lab;
  // A server that does not say how long its file is.
  await page.route('https://example.org/**', (route) =>
    route.request().method() === 'HEAD'
      ? route.fulfill({ headers: open })
      : route.fulfill({ headers: open, body: Buffer.alloc(2_000_000, 1) }),
  );
  await limitStorage(page, 200_000);
  await download(page, 'https://example.org/a.gguf');
  await expect(problem(page)).toContainText('The browser has no more room for a.gguf');
  await expect(problem(page)).toContainText('Free some under Storage');
  await lab.loadModel();
  expectElsewhere(lab, 'huggingface.co', 'example.org');
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
  expectElsewhere(lab, 'huggingface.co', 'example.org');
});

test('a model of the site that breaks off, ends early or finds no room says so, and loads after that', async ({
  lab,
}) => {
  const { page } = lab;
  const body = Buffer.alloc(300_000, 'no model');
  const entry = { name: 'Served', file: 'tiny.gguf', bytes: body.length, sha256: '0'.repeat(64) };
  await page.route('**/models/index.json', (route) =>
    route.fulfill({ json: [{ ...entry, licence: 'MIT', source: 'here' }] }),
  );
  let part = body.subarray(0, 100_000);
  await page.route('**/models/tiny.gguf*', (route) => route.fulfill({ body: part }));
  await page.addInitScript(() => {
    const plain = window.fetch;
    window.fetch = async (...asked) => {
      const answer = await plain(...asked);
      if (!String(asked[0]).includes('tiny.gguf') || !Reflect.get(window, 'breaks')) return answer;
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const broken = new ReadableStream({
        start(controller) {
          controller.enqueue(bytes);
          controller.error(new TypeError('network error'));
        },
      });
      return new Response(broken);
    };
  });
  await page.reload();
  const load = page.getByRole('button', { name: 'Load Served' });
  await page.evaluate(() => Object.assign(window, { breaks: true }));
  await load.click();
  await expect(problem(page)).toContainText('The download broke off');
  await expect(problem(page)).toContainText('Check the connection and try again');
  await page.evaluate(() => Object.assign(window, { breaks: false }));
  await load.click();
  await expect(problem(page)).toContainText('has 100000 bytes instead of 300000');
  part = body;
  await load.click();
  await expect(problem(page)).toContainText('its SHA-256 differs');
  await page.evaluate(() => {
    Cache.prototype.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'));
  });
  await load.click();
  await expect(problem(page)).toContainText('The browser has no more room for tiny.gguf');
  await expect(page.locator('#model')).toContainText('300 kB to download');
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
  expectElsewhere(lab, 'huggingface.co', 'example.org');
});
