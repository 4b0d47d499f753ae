import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { expect, test } from '../e2e/lab-test';
import { median } from './bench-page';

/** What is transferred, and how long the first step takes; `scripts/bench size` says how it is called. */
const output = process.env.SIZE_OUTPUT ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const ROUNDS = quick ? 1 : 7;
const dist = join(import.meta.dirname, '..', 'dist');
const generated = join(import.meta.dirname, '..', 'src', 'generated');
/** What the page itself consists of; notices, example data and models are files that a user asks for. */
const PAGE = new Set(['.html', '.js', '.css', '.svg', '.webmanifest']);

function brotli(content: Buffer): number {
  return brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: quick ? 5 : 11,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  }).length;
}

function sizes(): Record<string, number> {
  const found: Record<string, number> = { page_brotli_bytes: 0 };
  for (const entry of readdirSync(dist, { withFileTypes: true, recursive: true })) {
    const below = entry.parentPath.slice(dist.length);
    if (!entry.isFile() || !PAGE.has(extname(entry.name)) || /^\/(models|tiny|data)/.test(below)) continue;
    found.page_brotli_bytes =
      (found.page_brotli_bytes ?? 0) + brotli(readFileSync(join(entry.parentPath, entry.name)));
  }
  for (const entry of readdirSync(generated, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const module = readFileSync(join(generated, entry.name, 'riemann_lora_bg.wasm'));
    const name = entry.name.replace('-', '_');
    found[`${name}_wasm_brotli_bytes`] = brotli(module);
    found[`${name}_wasm_bytes`] = module.length;
  }
  return found;
}

test('transfer sizes, and the time until the first step', async ({ lab, origin }) => {
  const { page } = lab;
  const modules = new Set<string>();
  const encodings = new Map<string, string>();
  page.on('response', (response) => {
    const url = new URL(response.url());
    if (!url.pathname.endsWith('.wasm')) return;
    modules.add(url.pathname);
    encodings.set(
      url.pathname,
      `${response.headers()['content-encoding']} ${response.headers()['content-type']}`,
    );
  });
  const open = async () => {
    await page.goto(`${origin}/?test-hooks`);
    await expect(page.locator('#train-now')).toBeEnabled();
  };
  const firstLoss = () =>
    page.waitForFunction(() => (window.testHooks?.losses(0).length ?? 0) > 0, undefined, {
      timeout: 300_000,
    });

  const tiny: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    await open();
    await page.locator('#train-now').click();
    await firstLoss();
    tiny.push((performance.now() - began) / 1000);
    await lab.button('stop').click();
  }

  // The first time downloads it; from then on it is in the browser's own storage.
  const smol: number[] = [];
  const parts: Record<string, number>[] = [];
  for (let round = 0; round <= Math.min(ROUNDS, 5); round += 1) {
    await open();
    await lab.withoutSamples();
    await lab.set('validation_every', '0');
    await page.locator('#use-bundled').click();
    const began = performance.now();
    const since = () => (performance.now() - began) / 1000;
    await page.getByRole('button', { name: /^Load SmolLM2/ }).click();
    await expect(page.locator('#model .facts')).toContainText('llama', { timeout: 300_000 });
    const model = since();
    await expect(lab.button('start')).toBeEnabled({ timeout: 60_000 });
    const ready = since();
    await lab.start();
    await firstLoss();
    if (round > 0) {
      smol.push(since());
      parts.push({ model, data: ready - model, first_step: since() - ready });
    }
    await lab.button('stop').click();
  }
  // One engine, one module.
  expect(modules.size).toBe(1);
  const found = {
    figures: {
      ...sizes(),
      first_step_seconds_smollm2: median(smol),
      first_step_seconds_tiny: median(tiny),
    },
    smollm2_parts: parts,
    seconds_tiny: tiny,
    modules_loaded: Object.fromEntries(encodings),
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (output !== '') writeFileSync(output, JSON.stringify(found));
});
