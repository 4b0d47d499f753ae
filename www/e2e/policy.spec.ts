import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { responseHeaders } from '../policy';
import { expect, test } from './lab-test';

test('every response says what the page may do, workers’ scripts among them', async ({ lab, origin }) => {
  const { page } = lab;
  const answers = new Map<string, Record<string, string>>();
  page.on('response', (response) => {
    answers.set(new URL(response.url()).pathname, response.headers());
  });
  await page.reload();
  await expect(page.locator('#train-now')).toBeEnabled();
  const scripts = [...answers].filter(([path]) => /worker.*\.js$/.test(path));
  expect(scripts.length).toBeGreaterThan(0);
  for (const [path, headers] of [...scripts, ['/', answers.get('/') ?? {}] as const]) {
    for (const [name, value] of Object.entries(responseHeaders)) {
      expect(headers[name.toLowerCase()], `${name} of ${path}`).toBe(value);
    }
  }
  const hosts = await page.request.get(`${origin}/_headers`);
  for (const [name, value] of Object.entries(responseHeaders)) {
    expect(await hosts.text()).toContain(`  ${name}: ${value}\n`);
  }
});

test('the built page has nothing that only tests may do', () => {
  const dist = join(import.meta.dirname, '..', 'dist');
  const scripts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.js$/.test(name),
  );
  expect(scripts.length).toBeGreaterThan(5);
  for (const name of scripts)
    expect(readFileSync(join(dist, name), 'utf8'), name).not.toContain('crashWorker');
});

test('the policy forbids nothing that the page does, and what it does not do', async ({ lab }) => {
  const { page } = lab;
  await page.evaluate(() => {
    const told: string[] = [];
    Object.assign(window, { told });
    document.addEventListener('securitypolicyviolation', ({ violatedDirective }) =>
      told.push(violatedDirective),
    );
  });
  const told = () => page.evaluate(() => [...(Reflect.get(window, 'told') as string[])]);
  await lab.begins(() => page.getByRole('button', { name: 'Train now' }).click());
  for (const view of ['Claims', 'Sweep', 'Runs', 'Images', 'Theory', 'Language']) {
    await page.getByRole('link', { name: view, exact: true }).click();
    await expect(page.locator(`#${view.toLowerCase()}-view h2`).first()).toBeVisible();
  }
  await page.locator('#stop').click();
  expect(await told()).toEqual([]);
  // The lab test would fail on the errors that Chromium prints of these.
  const before = lab.wrong.length;
  const done = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.injected = true;';
    document.body.append(script);
    const sheet = document.createElement('style');
    sheet.textContent = 'body { outline: 1px solid red; }';
    document.body.append(sheet);
    const worker = (() => {
      try {
        return new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])));
      } catch {
        return null;
      }
    })();
    const spoke = await new Promise((resolve) => {
      setTimeout(() => resolve(false), 500);
      worker?.addEventListener('message', () => resolve(true));
    });
    return { script: 'injected' in window, sheet: sheet.sheet !== null, spoke };
  });
  expect(done).toEqual({ script: false, sheet: false, spoke: false });
  expect(new Set(await told())).toEqual(new Set(['script-src-elem', 'style-src-elem', 'worker-src']));
  lab.wrong.splice(before);
});
