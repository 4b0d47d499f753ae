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
  await page.getByRole('button', { name: 'Bring back' }).first().click();
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
  await expect.poll(() => keptStep(lab)).toBe(7);
  await lab.page.close({ runBeforeUnload: false });
  const page = await context.newPage();
  await page.addInitScript(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 }));
  await page.goto(`${origin}/?test-hooks`);
  const other = new LabPage(page, lab.wrong);
  await page.locator('#resume-kept').click();
  await other.finished();
  expect(await curves(other)).toEqual(undisturbed);
});

test('a copy that was not written to the end is not taken: the one before it goes on', async ({ lab }) => {
  const { page } = lab;
  await prepare(lab);
  await trainTo(lab, 3);
  await expect.poll(() => keptStep(lab)).toBe(3);
  await lab.button('step').click();
  await lab.reaches(4);
  await expect.poll(() => keptStep(lab)).toBe(4);
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
  await expect(storage).toContainText('Kept trainings, with their data and files');
  await expect(storage).toContainText('Settings and choices');
  await expect(storage).toContainText(/In all [\d.]+ .?B of the [\d.,]+ .B that this browser allows/);
  await page.getByRole('button', { name: 'Free Kept trainings, with their data and files' }).click();
  await expect(storage).toContainText('freed');
  await expect(storage.locator('ul')).not.toContainText('Kept trainings');
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

/** The last step that is kept of the training that began last; 0 where nothing is kept. */
async function keptStep(lab: LabPage, folderName = 'riemann-lora-training'): Promise<number> {
  return lab.page.evaluate(
    (name) =>
      // While the page writes, a file may be between its old and its new content.
      navigator.locks.request(`riemann-lora.${name}`, async () => {
        const root = await navigator.storage.getDirectory();
        const folder = await root.getDirectoryHandle(name, { create: true });
        let newest = { id: '', generation: 0, step: 0 };
        for await (const [key, handle] of folder.entries()) {
          const id = /^manifest-(.*)-\d\.json$/.exec(key)?.[1];
          if (id === undefined) continue;
          const text = await (await (handle as FileSystemFileHandle).getFile()).text();
          if (text === '') continue;
          const { generation, content } = JSON.parse(text.slice(65));
          if (id > newest.id || (id === newest.id && generation > newest.generation))
            newest = { id, generation, step: content.step };
        }
        return newest.step;
      }),
    folderName,
  );
}

test('a pause and a stop before the first checkpoint are kept over a reload', async ({ lab }) => {
  const { page } = lab;
  await prepare(lab);
  await lab.set('checkpoint_every', '1000');
  await lab.start();
  await lab.finished();
  const undisturbed = await curves(lab);
  for (const [step, end] of [
    [4, 'step'],
    [5, 'stop'],
  ] as const) {
    await trainTo(lab, step);
    if (end === 'stop') {
      await lab.button('stop').click();
      await expect(page.locator('#status')).toHaveText(/Stopped|Ready/);
    }
    await expect.poll(() => keptStep(lab)).toBeGreaterThanOrEqual(step);
    await reload(lab);
    await expect(page.locator('#kept')).toContainText(/can go on: step \d+ of 12/);
    await page.locator('#resume-kept').click();
    await lab.finished();
    expect(await curves(lab)).toEqual(undisturbed);
  }
});

/** Another tab of the same browser. */
async function anotherTab(lab: LabPage, origin: string): Promise<LabPage> {
  const page = await lab.page.context().newPage();
  await page.goto(`${origin}/?test-hooks`);
  await page.waitForFunction(() => window.testHooks !== undefined);
  return new LabPage(page, lab.wrong);
}

test('a training belongs to one tab: others see it as busy, and may go on with it when that tab is closed', async ({
  lab,
  origin,
}) => {
  await prepare(lab);
  await trainTo(lab, 3);
  await expect.poll(() => keptStep(lab)).toBe(3);
  const other = await anotherTab(lab, origin);
  const kept = other.page.locator('#kept');
  await expect(kept).toContainText('is open in another tab: step 3 of 12');
  await expect(kept.getByRole('button')).toHaveCount(0);
  // It is seen live.
  await lab.button('step').click();
  await expect(kept).toContainText('is open in another tab: step 4 of 12');
  // The other tab trains too, and neither costs the other anything.
  await prepare(other);
  await trainTo(other, 6);
  await expect.poll(() => keptStep(other)).toBe(6);
  await lab.button('step').click();
  await lab.reaches(5);
  const third = await anotherTab(lab, origin);
  const all = third.page.locator('#kept li');
  await expect(all).toHaveCount(2);
  await expect(all.nth(0)).toContainText('is open in another tab: step 6 of 12');
  await expect(all.nth(1)).toContainText('is open in another tab: step 5 of 12');
  for (const colorScheme of ['light', 'dark'] as const) {
    await third.page.emulateMedia({ colorScheme });
    await third.page.locator('#train').screenshot({ path: join(shots, `kept-busy-${colorScheme}.png`) });
  }
  await lab.page.close();
  await expect(all.nth(1)).toContainText('can go on: step 5 of 12');
  await other.page.close();
  await expect(all.nth(0)).toContainText('can go on: step 6 of 12');
  for (const colorScheme of ['light', 'dark'] as const) {
    await third.page.emulateMedia({ colorScheme });
    await third.page.locator('#train').screenshot({ path: join(shots, `kept-several-${colorScheme}.png`) });
  }
  await all
    .nth(1)
    .getByRole('button', { name: /^Discard/ })
    .click();
  await expect(all).toHaveCount(1);
  await expect(third.page.locator('#resume-kept')).toBeFocused();
  await third.page.locator('#resume-kept').click();
  await third.finished();
  expect((await third.losses(0)).length).toBe(12);
});

test('a training on pictures goes on after a reload, with its pictures, captions and drawings', async ({
  lab,
}) => {
  const { page } = lab;
  const view = page.locator('#images-view');
  const set = (name: string, value: string) =>
    view.locator(`[data-field="${name}"] input`).first().fill(value);
  await page.getByRole('link', { name: 'Images', exact: true }).click();
  await page.locator('#images-use-subject').click();
  await expect(view.locator('.shelf li')).toHaveCount(10);
  const caption = view.locator('.shelf li input').first();
  await caption.fill('zib of mine');
  for (const [name, value] of Object.entries({
    steps: '8',
    batch_size: '4',
    draw_every: '2',
    draw_steps: '4',
  }))
    await set(name, value);
  await page.locator('#images-step').click();
  const status = page.locator('#images-status');
  await expect(status).toHaveText('Paused.', { timeout: 60_000 });
  for (let step = 2; step <= 4; step += 1) {
    await page.locator('#images-step').click();
    await expect(page.locator('#images-step-count')).toHaveText(`${step} / 8`);
    await expect(status).toHaveText('Paused.');
  }
  await expect(page.locator('#images-grid-title')).toHaveText('After step 4', { timeout: 60_000 });
  await expect.poll(() => keptStep(lab, 'riemann-lora-pictures')).toBe(4);
  // What was drawn is kept when it is there.
  await page.waitForTimeout(1500);
  await reload(lab);
  const kept = page.locator('#images-kept');
  await expect(kept).toContainText('can go on: step 4 of 8');
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.locator('#images-train').screenshot({ path: join(shots, `kept-pictures-${colorScheme}.png`) });
  }
  await page.locator('#images-resume-kept').click();
  await expect(status).toHaveText('Finished.', { timeout: 90_000 });
  await expect(view.locator('.shelf li')).toHaveCount(10);
  await expect(caption).toHaveValue('zib of mine');
  await expect(page.locator('#images-grid-title')).toHaveText('After step 8', { timeout: 60_000 });
  const slider = view.getByLabel('Kept grids');
  await slider.focus();
  await page.keyboard.press('Home');
  await expect(page.locator('#images-grid-title')).toHaveText('Before training');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('#images-grid-title')).toHaveText('After step 2');
  await expect(view.locator('[data-lane="AdamW"] canvas')).toHaveCount(8);
});

test('sweeps of two tabs merge, runs are seen in both, and each keeps its own settings', async ({
  lab,
  origin,
}) => {
  const other = await anotherTab(lab, origin);
  const tabs = [
    [lab, '1e-2'],
    [other, '2e-2'],
  ] as const;
  for (const [tab, lr] of tabs) {
    await tab.withoutSamples();
    await tab.prepare({ steps: 3 });
    await tab.page.getByRole('link', { name: 'Sweep', exact: true }).click();
    await tab.page.locator('[data-field="sweep.values"] textarea').fill(lr);
    await tab.page.locator('#sweep-start').click();
  }
  for (const [tab] of tabs) {
    await expect(tab.page.locator('#sweep-status')).toContainText(/Finished|early/, { timeout: 60_000 });
    await expect(tab.page.locator('#sweep-view .message.bad:visible')).toHaveText([]);
    await expect(tab.page.locator('#sweep-status')).toContainText('Finished.');
  }
  for (const [{ page }] of tabs) {
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await expect(page.locator('#runs-table tbody tr')).toHaveCount(4);
    await page.getByRole('link', { name: 'Sweep', exact: true }).click();
    await page.locator('#sweep-results').getByText('Numbers', { exact: true }).click();
    await expect(page.getByRole('region', { name: 'Validation losses of the sweep' })).toContainText('0.01');
    await expect(page.getByRole('region', { name: 'Validation losses of the sweep' })).toContainText('0.02');
  }
  await reload(lab);
  await lab.page.getByRole('link', { name: 'Sweep', exact: true }).click();
  await expect(lab.page.locator('[data-field="sweep.values"] textarea')).toHaveValue('1e-2');
});

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
      if (answer.headers.get('content-type')?.startsWith('text/html')) {
        body = Buffer.from(body.toString().replace(/(riemann-lora-build )\w+/, `$1${revision}`));
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
      // As when its engine is changed: whoever is alone, its build stays until it has gone.
      await page.evaluate(() =>
        navigator.serviceWorker.controller?.postMessage({ module: 'cpu', build: null }),
      );
      await page.getByRole('link', { name: 'Theory', exact: true }).click();
      await expect(page.locator('#theory-view h2').first()).toBeVisible();
      expect(await cacheNames()).toEqual([
        'riemann-lora-page /deep/path/ first',
        'riemann-lora-page /deep/path/ second',
      ]);
      // A load between its arrival and its taking over is the old one's.
      await page.waitForFunction(async () => {
        const found = await navigator.serviceWorker.getRegistration();
        return found?.installing === null && found.waiting === null && found.active?.state === 'activated';
      });
      const next = await context.newPage();
      await next.goto(`http://127.0.0.1:${port}/deep/path/`);
      await expect(next.locator('meta[name=riemann-lora-build]')).toHaveAttribute('content', /second/);
      await expect(next.locator('#train')).toBeVisible();
      expect(await cacheNames()).toHaveLength(2);
      await next.close();
      await page.getByRole('link', { name: 'Language', exact: true }).click();
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
