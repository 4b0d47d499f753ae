import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page, Route } from '@playwright/test';
import { expectClean } from './clean';
import { expectElsewhere, files, lookUp, weights } from './elsewhere';
import { expect, pairs, shownAs, test } from './lab-test';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

const open = { 'access-control-allow-origin': '*' };
const sha256 = createHash('sha256').update(weights).digest('hex');

interface HubScript {
  /** Answers about the repository with this status. */
  status?: number;
  /** Of the weights, the first answer ends after so many bytes. */
  breaksAt?: number;
  /** How often the answer after a break does not come at all. */
  silent?: number;
}

/** A hub with the toy model; answers the ranges that were asked of its weights. */
async function hub(page: Page, script: HubScript = {}): Promise<{ asked: string[]; heal(): void }> {
  const asked: string[] = [];
  let { silent = 0 } = script;
  await page.route('https://huggingface.co/**', async (route) => {
    const url = new URL(route.request().url());
    asked.push(`${url.pathname.split('/').at(-1)} ${route.request().headers().range ?? ''}`.trim());
    if (url.pathname.startsWith('/api/models/')) return route.fulfill(repository(script.status ?? 200));
    const file = files.get(basename(url.pathname));
    if (file === undefined) return route.fulfill({ status: 404, headers: open });
    if (file !== weights) return route.fulfill({ body: file, headers: open });
    const from = Number(
      route
        .request()
        .headers()
        .range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0,
    );
    if (from === 0 && script.breaksAt !== undefined) {
      return route.fulfill({ body: weights.subarray(0, script.breaksAt), headers: open });
    }
    if (silent > 0) {
      silent -= 1;
      return route.abort('connectionreset');
    }
    return route.fulfill({ status: from > 0 ? 206 : 200, body: weights.subarray(from), headers: open });
  });
  return {
    asked,
    heal: () => {
      silent = 0;
    },
  };
}

function repository(status: number): Parameters<Route['fulfill']>[0] {
  if (status !== 200) return { status, headers: open, json: { error: 'no' } };
  const siblings = [...files].map(([rfilename, file]) => ({
    rfilename,
    size: file.length,
    ...(file === weights ? { lfs: { sha256, size: file.length, pointerSize: 134 } } : {}),
  }));
  const json = { sha: 'c0ffee', cardData: { license: 'mit' }, safetensors: { total: 26_000 }, siblings };
  return { status, headers: open, json };
}

test('a repository is looked up, downloaded across a break, kept, loaded without a request, and removed', async ({
  lab,
}) => {
  const { page } = lab;
  const { asked } = await hub(page, { breaksAt: 50_000 });
  await page.getByText('Or from Hugging Face, or any address').click();
  await expect(page.locator('#model .presets')).toContainText('TinyLlama 1.1B');
  await expect(page.locator('#model .presets')).toContainText('2.2 GB in memory');
  // Nothing was asked so far.
  expect(lab.wrong).toEqual([]);
  expect(asked).toEqual([]);

  await lookUp(page, 'tiny/llama');
  const offer = page.locator('#remote-offer');
  await expect(offer).toContainText('tiny/llama');
  await expect(offer).toContainText(/3 files, 1\d\d kB, from huggingface.co · 26 k weights · mit/);
  expect(asked).toEqual(['main']);
  await page.locator('#download-model').click();
  await expect(page.locator('#model .facts')).toContainText('tiny/llama');
  expect(asked.slice(1)).toEqual([
    'config.json',
    'tokenizer.json',
    'model.safetensors',
    'model.safetensors bytes=50000-',
  ]);

  const before = asked.length;
  await page.reload();
  const kept = page.locator('#kept-models .offer');
  await expect(kept).toContainText('kept in this browser');
  await page.getByRole('button', { name: 'Load tiny/llama' }).click();
  await expect(page.locator('#model .facts')).toContainText('tiny/llama');
  expect(asked.length).toBe(before);
  await page.getByText('Storage', { exact: true }).click();
  await expect(page.locator('#storage')).toContainText('Model tiny/llama');
  await page.getByText('Choose a model').click();
  await page.getByRole('button', { name: 'Remove tiny/llama' }).click();
  await expect(kept).toHaveCount(0);
  expectElsewhere(lab, 'huggingface.co');
});

test('a download that broke off for good says so, stays after a reload, and goes on when asked', async ({
  lab,
}) => {
  const { page } = lab;
  const { asked, heal } = await hub(page, { breaksAt: 50_000, silent: 99 });
  await lookUp(page, 'tiny/llama');
  await page.locator('#download-model').click();
  await expect(page.locator('#model .progress:visible')).toContainText('trying again');
  await expect(page.locator('#model .message.bad:visible')).toContainText('broke off at 50 kB', {
    timeout: 30_000,
  });
  await page.reload();
  await expect(page.locator('#kept-models')).toContainText('are here, the rest is missing');
  heal();
  await page.getByRole('button', { name: 'Go on downloading tiny/llama' }).click();
  await expect(page.locator('#model .facts')).toContainText('tiny/llama');
  expect(asked.at(-1)).toBe('model.safetensors bytes=50000-');
  expectElsewhere(lab, 'huggingface.co');
});

test('a download can be cancelled', async ({ lab }) => {
  const { page } = lab;
  await hub(page);
  await page.route('https://huggingface.co/tiny/llama/resolve/**', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await route.fulfill({ status: 404, headers: open }).catch(() => {});
  });
  await lookUp(page, 'tiny/llama');
  await page.locator('#download-model').click();
  await page.locator('#model').getByRole('button', { name: 'Cancel' }).last().click();
  await expect(page.locator('#model .message.bad:visible')).toContainText('cancelled');
  expectElsewhere(lab, 'huggingface.co');
});

test('a repository that cannot be had says why, and what would work', async ({ lab }) => {
  const { page } = lab;
  const problem = page.locator('#model .message.bad:visible');
  for (const [status, words] of [
    [401, 'logged in'],
    [404, 'no tiny/llama'],
    [503, 'later'],
  ] as const) {
    await hub(page, { status });
    await lookUp(page, 'tiny/llama');
    await expect(problem).toContainText(words);
    await page.unroute('https://huggingface.co/**');
  }
  await page.route('https://huggingface.co/**', (route) => route.abort('internetdisconnected'));
  await lookUp(page, 'tiny/llama');
  await expect(problem).toContainText('CORS');
  await expect(problem).toContainText('drop it here');
  // A server that does not let other pages read it.
  await page.route('https://example.org/**', (route) => route.abort('accessdenied'));
  await lookUp(page, 'https://example.org/a.gguf');
  await expect(problem).toContainText('example.org cannot be read');
  await page.unroute('https://example.org/**');
  await page.route('https://example.org/**', (route) =>
    route.fulfill({
      body: '<html>',
      contentType: 'text/html',
      headers: { ...open, 'content-type': 'text/html' },
    }),
  );
  await lookUp(page, 'https://example.org/a.gguf');
  await expect(problem).toContainText('web page');
  await lookUp(page, 'gpt2');
  await expect(problem).toContainText('SmolLM2-135M');
  // What is here works as before.
  await lab.loadModel();
  expectElsewhere(lab, 'huggingface.co', 'example.org');
});

test('a .gguf file of any server is offered with its size, and one that is no model is told so', async ({
  lab,
}) => {
  const { page } = lab;
  await page.route('https://example.org/**', (route) => {
    const body = route.request().url().endsWith('none.gguf') ? 'no model' : 'GGUF, cut';
    return route.fulfill({
      body: route.request().method() === 'HEAD' ? '' : body,
      headers: { ...open, 'content-length': String(body.length) },
    });
  });
  const bad = page.locator('#model .message.bad').filter({ visible: true });
  await lookUp(page, 'https://example.org/models/none.gguf');
  await expect(bad).toContainText('none.gguf of example.org is no GGUF file');
  await expect(page.locator('#remote-offer')).toBeHidden();
  await lookUp(page, 'https://example.org/models/a.gguf');
  await expect(page.locator('#remote-offer')).toContainText('1 file, 9 B, from example.org');
  await page.locator('#download-model').click();
  await expect(bad).toContainText('a.gguf');
  expectElsewhere(lab, 'example.org');
});

test('data from an address: fetched, or refused in place', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  const section = page.locator('#data');
  const problem = section.locator('.message.bad:visible');
  await section.getByText('Or from an address').click();
  const fetchFrom = async (address: string) => {
    await section.getByLabel('Address of a file').fill(address);
    await page.locator('#fetch-data').click();
  };
  await page.route('https://example.org/**', (route) => {
    const name = basename(new URL(route.request().url()).pathname);
    if (name === 'gone.txt') return route.fulfill({ status: 404, headers: open });
    if (name === 'page.txt') return route.fulfill({ body: '<!doctype html>', headers: open });
    if (name === 'closed.txt') return route.abort('accessdenied');
    return route.fulfill({ body: pairs(), headers: open });
  });
  for (const [name, words] of [
    ['gone.txt', '404'],
    ['page.txt', 'web page'],
    ['closed.txt', 'CORS'],
  ]) {
    await fetchFrom(`https://example.org/${name}`);
    await expect(problem).toContainText(words ?? '');
  }
  await fetchFrom('pairs.txt');
  await expect(problem).toContainText('https://');
  await fetchFrom('https://example.org/pairs.txt');
  await expect(section.locator('.facts')).toContainText('pairs.txt');
  await expect(problem).toBeHidden();

  // The paper's data: address and licence are there before the request.
  await section.getByText('Choose data').click();
  const preset = section.locator('.offer', { hasText: 'E2E NLG' });
  await expect(preset).toContainText('raw.githubusercontent.com/microsoft/LoRA');
  await expect(preset).toContainText('CC BY-SA 4.0');
  await page.route('https://raw.githubusercontent.com/**', (route) =>
    route.fulfill({
      body: 'name : Alimentum | area : city centre||Alimentum is in the centre .\n'.repeat(40),
      headers: open,
    }),
  );
  await page.getByRole('button', { name: 'Fetch E2E NLG' }).click();
  await expect(section.locator('.facts')).toContainText('train.txt');
  expectElsewhere(lab, 'example.org', 'raw.githubusercontent.com');
});

test('columns of a table are mapped, and a chat is read', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  const section = page.locator('#data');
  const rows = Array.from(
    { length: 40 },
    (_, index) => `${index},thing ${index},"It is thing ${index}, you see."`,
  );
  await lab.loadText(['id,what,says', ...rows].join('\n'), 'things.csv');
  await expect(section.locator('.message.bad:visible')).toContainText('id, what, says');
  const map = section.locator('[data-field=columns]');
  await map.getByLabel('what', { exact: true }).selectOption('prompt');
  await expect(map.locator('.problem').first()).toContainText('completion');
  await map.getByLabel('says', { exact: true }).selectOption('completion');
  await expect(map).toContainText('what → says');
  await page.locator('#read-data').click();
  await expect(section.locator('.facts')).toContainText('things.csv');
  await expect(section.locator('.examples mark').first()).toContainText('It is thing');
  // What was chosen belongs to that file: another is read by its own names, and the first one finds its choice again.
  await lab.loadText(
    ['prompt,completion', ...Array.from({ length: 30 }, (_, i) => `a${i},b${i}`)].join('\n'),
    'b.csv',
  );
  await expect(section.locator('.facts')).toContainText('b.csv');
  await expect(map.getByLabel('prompt', { exact: true })).toHaveValue('none');
  await expect(map).toContainText('what → says was chosen for other columns than those of b.csv');
  await lab.loadText(['id,what,says', ...rows].join('\n'), 'things.csv');
  await expect(section.locator('.facts')).toContainText('things.csv');
  await expect(map).toContainText('what → says');
  await expect(map.getByLabel('says', { exact: true })).toHaveValue('completion');
  // Columns that are called alike cannot be told apart, so neither can be chosen.
  await lab.loadText(['says,what,says', ...rows].join('\n'), 'twice.csv');
  await expect(map).toContainText('Several columns are called says');
  await expect(map.getByLabel('what', { exact: true })).toBeVisible();
  await expect(map.getByLabel('says', { exact: true })).toHaveCount(0);
});

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360]) {
    test.describe(`${scheme}, ${width} px`, () => {
      test.use(shownAs(scheme, width, 900));
      test('sources: axe finds nothing', async ({ lab }) => {
        const { page } = lab;
        await hub(page, { breaksAt: 50_000 });
        await lookUp(page, 'tiny/llama');
        await page.locator('#download-model').click();
        await expect(page.locator('#model .facts')).toContainText('tiny/llama');
        await page.getByText('Choose a model').click();
        await lookUp(page, 'tiny/llama');
        await expect(page.locator('#remote-offer')).toBeVisible();
        await lab.loadText('id,what,says\n1,a,b\n', 'things.csv');
        await expect(page.locator('#data [data-field=columns]')).toBeVisible();
        await page.locator('#data').getByText('Or from an address').click();
        await expectClean(page);
        for (const section of ['model', 'data']) {
          await page
            .locator(`#${section}`)
            .screenshot({ path: join(shots, `sources-${section}-${scheme}-${width}.png`) });
        }
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
        expectElsewhere(lab, 'huggingface.co');
      });
    });
  }
}
