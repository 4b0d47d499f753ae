import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, LabPage, modelFiles, pairs, test } from './lab-test';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

/** Both curves, unrounded. */
const curves = async (lab: LabPage) => [await lab.losses(0), await lab.losses(1)];

/** Prepares a training of 12 steps in which nothing is chosen but by seeds. */
async function prepare(lab: LabPage): Promise<void> {
  await lab.withoutSamples();
  await lab.prepare({ steps: 12, validate: 4 });
  await lab.set('dropout', '0.1');
  await lab.set('checkpoint_every', '3');
}

/** Trains to `step`, and waits until that is kept. */
async function trainTo(lab: LabPage, step: number): Promise<void> {
  const status = lab.page.locator('#status');
  await lab.button('step').click();
  await expect(status).toHaveText('Paused.');
  for (let next = 2; next <= step; next += 1) {
    await lab.button('step').click();
    await lab.reaches(next);
    await expect(status).toHaveText('Paused.');
  }
}

async function reload(lab: LabPage): Promise<void> {
  await lab.page.reload();
  await lab.page.waitForFunction(() => window.testHooks !== undefined);
}

test('a training goes on after a reload, and its curves are those that it would have had', async ({
  lab,
}) => {
  const { page } = lab;
  await prepare(lab);
  await lab.start();
  await lab.finished();
  const undisturbed = await curves(lab);
  const validation = await lab.readout('Scaled AdamW', 'Best validation');
  await trainTo(lab, 6);
  await expect.poll(() => keptStep(lab)).toBe(6);
  await reload(lab);
  await expect(page.locator('#kept')).toContainText('step 6 of 12');
  await expect(page.locator('#kept')).toContainText('pairs.txt');
  // What the user changed meanwhile does not matter.
  await lab.set('rank', '2');
  await page.locator('#resume-kept').click();
  await lab.finished();
  expect(await curves(lab)).toEqual(undisturbed);
  expect(await lab.readout('Scaled AdamW', 'Best validation')).toBe(validation);
  await expect(lab.field('rank').locator('input')).toHaveValue('8');
  await expect(page.locator('#data .facts')).toContainText('pairs.txt');
  // And what is finished is kept too.
  await expect.poll(() => keptStep(lab)).toBe(12);
  await reload(lab);
  await page.getByRole('button', { name: 'Bring it back' }).click();
  await lab.finished();
  expect(await curves(lab)).toEqual(undisturbed);
});

test('a tab that crashed in the middle goes on, with another number of cores', async ({
  lab,
  context,
  origin,
}) => {
  await prepare(lab);
  await lab.start();
  await lab.finished();
  const undisturbed = await curves(lab);
  await trainTo(lab, 7);
  // The last checkpoint, not the last step.
  await expect.poll(() => keptStep(lab)).toBe(6);
  await lab.page.close({ runBeforeUnload: false });
  const page = await context.newPage();
  await page.addInitScript(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 }));
  await page.goto(`${origin}/?test-hooks`);
  const other = new LabPage(page, lab.wrong);
  await page.locator('#kept button.primary').click();
  await other.finished();
  expect(await curves(other)).toEqual(undisturbed);
});

test('a copy that was not written to the end is not taken: the one before it goes on', async ({ lab }) => {
  const { page } = lab;
  await prepare(lab);
  await trainTo(lab, 3);
  await expect.poll(() => keptStep(lab)).toBe(3);
  for (let step = 4; step <= 6; step += 1) {
    await lab.button('step').click();
    await lab.reaches(step);
    await expect(page.locator('#status')).toHaveText('Paused.');
  }
  await expect.poll(() => keptStep(lab)).toBe(6);
  // Half of the newest manifest.
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('riemann-lora-training');
    let newest: [number, FileSystemFileHandle, string] | null = null;
    for await (const [name, handle] of folder.entries()) {
      if (!name.startsWith('manifest')) continue;
      const file = handle as FileSystemFileHandle;
      const text = await (await file.getFile()).text();
      const { generation } = JSON.parse(text.slice(65));
      if (newest === null || generation > newest[0]) newest = [generation, file, text];
    }
    const writable = await newest?.[1].createWritable();
    await writable?.write(newest?.[2].slice(0, 300) ?? '');
    await writable?.close();
  });
  await reload(lab);
  await expect(page.locator('#kept')).toContainText('step 3 of 12');
  await expect(page.locator('#kept')).toContainText('not written to the end');
  await page.locator('#resume-kept').click();
  await lab.finished();
});

test('a training can be discarded, and storage says what is kept and frees it', async ({ lab }) => {
  const { page } = lab;
  await prepare(lab);
  await trainTo(lab, 3);
  await expect.poll(() => keptStep(lab)).toBe(3);
  await reload(lab);
  await page.getByText('Storage', { exact: true }).click();
  const storage = page.locator('#storage');
  await expect(storage).toContainText('Kept training, with its data and files');
  await expect(storage).toContainText('Settings and choices');
  await expect(storage).toContainText(/In all [\d.]+ .?B of the [\d.,]+ .B that this browser allows/);
  await page.getByRole('button', { name: 'Free Kept training, with its data and files' }).click();
  await expect(storage).toContainText('freed');
  await expect(storage.locator('ul')).not.toContainText('Kept training');
  await expect(page.locator('#kept')).toBeHidden();
  await page.locator('#persist').click();
  await expect(storage).toContainText(/The browser (did not agree|will keep it)/);
});

test('kept runs and sweeps are listed in storage, and what is freed leaves the page too', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 3 });
  await page.getByRole('link', { name: 'Sweep', exact: true }).click();
  await page.locator('[data-field="sweep.values"] textarea').fill('1e-2');
  await page.locator('#sweep-start').click();
  await expect(page.locator('#sweep-status')).toContainText('Finished.', { timeout: 60_000 });
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await expect(page.locator('#runs-table tbody tr')).toHaveCount(2);
  const storage = page.locator('#storage');
  await storage.getByText('Storage', { exact: true }).click();
  await expect(storage.locator('li', { hasText: 'Runs of the table' })).toContainText(/\d [kM]?B/);
  await page.getByRole('button', { name: 'Free Runs of the table' }).click();
  await expect(storage).toContainText(/Runs of the table: .* freed/);
  await expect(page.locator('#runs-table tbody tr')).toHaveCount(0);
  await page.getByRole('button', { name: 'Free Results of sweeps' }).click();
  await expect(storage.locator('ul')).not.toContainText('Results of sweeps');
  await page.getByRole('link', { name: 'Sweep', exact: true }).click();
  await expect(page.locator('#sweep-summary')).toBeHidden();
  await page.reload();
  await expect(page.locator('#sweep-results')).toContainText('Points appear here');
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await expect(page.locator('#runs-view')).toContainText('No runs yet');
});

test('a browser without files of its own is told about, and training goes on', async ({ lab }) => {
  const { page } = lab;
  await page.addInitScript(() => {
    StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'));
  });
  await reload(lab);
  await prepare(lab);
  await lab.start();
  await lab.finished();
  await expect(page.locator('#train')).toContainText('This browser keeps no files for this page');
});

test('a full quota is told where it matters, and training goes on', async ({ lab }) => {
  const { page } = lab;
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', {
    origin: new URL(page.url()).origin,
    quotaSize: 3000,
  });
  await prepare(lab);
  await lab.start();
  await lab.finished();
  await expect(page.locator('#train')).toContainText('storage for the page is full');
  await expect(page.locator('#train')).toContainText('Free some under Storage below');
  expect((await lab.losses(0)).length).toBe(12);
});

/** The step of the newest generation. */
async function keptStep(lab: LabPage): Promise<number> {
  return lab.page.evaluate(() =>
    // While the page writes, a file may be between its old and its new content.
    navigator.locks.request('riemann-lora.riemann-lora-training', async () => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('riemann-lora-training');
      let newest = { generation: 0, content: { step: 0 } };
      for await (const [name, handle] of folder.entries()) {
        if (!name.startsWith('manifest')) continue;
        const text = await (await (handle as FileSystemFileHandle).getFile()).text();
        const manifest = text === '' ? newest : JSON.parse(text.slice(65));
        if (manifest.generation > newest.generation) newest = manifest;
      }
      return newest.content.step;
    }),
  );
}

test.describe('without a network', () => {
  test.use({ serviceWorkers: 'allow' });

  test('the page opens and trains after the first visit', async ({ lab, context }) => {
    expect(existsSync(join(import.meta.dirname, '..', 'dist', 'service-worker.js'))).toBe(true);
    const { page } = lab;
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    // The wasm module that computes here, and no other.
    await expect
      .poll(() =>
        page.evaluate(async () => {
          const names = (await caches.keys()).filter((name) => name.startsWith('riemann-lora-page'));
          const addresses: string[] = [];
          for (const name of names) {
            addresses.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
          }
          return addresses.filter((address) => address.endsWith('.wasm')).length;
        }),
      )
      .toBe(1);
    const isolated = await page.evaluate(() => crossOriginIsolated);
    await context.setOffline(true);
    await page.reload();
    await page.waitForFunction(() => window.testHooks !== undefined);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(isolated);
    await lab.withoutSamples();
    await lab.loadModel(modelFiles);
    await lab.loadText(pairs());
    await lab.set('steps', '4');
    await lab.start();
    await lab.finished();
    await page.locator('#use-bundled').evaluate((button: HTMLButtonElement) => button.click());
    await expect(page.locator('#data .facts')).toContainText('wordnet-definitions.txt');
    await context.setOffline(false);
    // What the browser says about a list of models that it could not reach is no fault of the page.
    lab.wrong.splice(
      0,
      lab.wrong.length,
      ...lab.wrong.filter((words) => !words.includes('ERR_INTERNET_DISCONNECTED')),
    );
  });

  test('a new version takes over at the next load, and is told about, under any path', async ({
    browser,
    origin,
  }) => {
    let revision = 'first';
    // The same page with another list of files is another version.
    const server = createServer(async (request, response) => {
      const path = (request.url ?? '').replace(/^\/deep\/path/, '');
      const answer = await fetch(origin + path);
      let body = Buffer.from(await answer.arrayBuffer());
      if (path.endsWith('service-worker.js')) {
        body = Buffer.from(body.toString().replace(/"revision":"\w+"/, `"revision":"${revision}"`));
      }
      response
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        .end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const context = await browser.newContext({ serviceWorkers: 'allow' });
    try {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${port}/deep/path/`);
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      // Where the site serves models, theirs is there too, and it outlives the versions of the page.
      const cacheNames = () =>
        page.evaluate(async () =>
          (await caches.keys()).filter((name) => name.startsWith('riemann-lora-page')),
        );
      await expect.poll(cacheNames).toEqual(['riemann-lora-page /deep/path/ first']);
      await expect(page.locator('.new-version')).toBeHidden();
      revision = 'second';
      await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
      await expect(page.locator('.new-version')).toContainText('A new version of this page is ready');
      await page.screenshot({ path: join(shots, 'new-version.png') });
      await page.locator('#reload').click();
      await expect(page.locator('#train')).toBeVisible();
      await expect.poll(cacheNames).toEqual(['riemann-lora-page /deep/path/ second']);
      await expect(page.locator('.new-version')).toBeHidden();
    } finally {
      await context.close();
      server.close();
    }
  });
});
