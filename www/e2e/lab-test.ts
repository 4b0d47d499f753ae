import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test as base, expect, type Locator, type Page } from '@playwright/test';
import { preview } from 'vite';
import { besideTestHooks } from '../test-hooks-plugin';

const www = join(import.meta.dirname, '..');
const golden = join(www, '..', 'tests', 'fixtures', 'golden');

/** The tiny random Llama of the golden tests: two layers, 320 tokens. */
export const modelFiles = [
  join(golden, 'llama', 'model', 'config.json'),
  join(golden, 'llama', 'model', 'model.safetensors'),
  join(golden, 'tokenizer.json'),
];

/** Pairs that even the tiny model can learn something from. */
export function pairs(lines = 60): string {
  const colours = ['red', 'green', 'blue', 'grey', 'black'];
  const things = ['house', 'river', 'stone', 'cloud', 'apple', 'table'];
  return Array.from({ length: lines }, (_, index) => {
    const colour = colours[index % colours.length];
    const thing = things[index % things.length];
    return `${thing} : ${colour}||The ${thing} is ${colour}.`;
  }).join('\n');
}

/** Paths, or contents with names. */
export type ModelFiles = string[] | { name: string; mimeType: string; buffer: Buffer }[];

interface WorkerFixtures {
  origin: string;
}

interface TestFixtures {
  /** The page, watched: a console error or a request to elsewhere fails the test. */
  lab: LabPage;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  origin: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright finds out what a fixture needs from this pattern.
    async ({}, use) => {
      if (!existsSync(join(www, 'dist', 'index.html')))
        throw new Error('Build the page first: npm run build');
      const server = await preview({
        root: www,
        plugins: [besideTestHooks()],
        preview: { port: 0, host: '127.0.0.1' },
        logLevel: 'error',
      });
      const address = server.httpServer.address();
      if (address === null || typeof address === 'string') throw new Error('the server has no port');
      await use(`http://127.0.0.1:${address.port}`);
      await new Promise((resolve) => server.httpServer.close(resolve));
    },
    { scope: 'worker' },
  ],
  lab: async ({ page, origin }, use) => {
    const wrong: string[] = [];
    page.on('console', (message) => {
      // A missing optional file and refused input are part of some tests, and Chromium reports both here.
      if (message.type() === 'error' && !message.location().url.endsWith('models/index.json')) {
        wrong.push(`console: ${message.text()}`);
      }
    });
    page.on('pageerror', (error) => wrong.push(`page error: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:')) wrong.push(url);
    });
    await page.goto(`${origin}/?test-hooks`);
    await page.waitForFunction(() => window.testHooks !== undefined);
    const lab = new LabPage(page, wrong);
    await use(lab);
    expect(wrong).toEqual([]);
  },
});

export { expect };

/**
 * What a page is opened with, for `test.use`: a theme and a window. A window that changes its size while the page starts can
 * leave headless Chromium without frames, and Playwright waits for two of them before it clicks.
 */
export function shownAs(colorScheme: 'light' | 'dark', width: number, height: number) {
  return { colorScheme, viewport: { width, height }, contextOptions: { reducedMotion: 'reduce' as const } };
}

/** Does something that shows in a counter of the page, and waits for that: what is seen then is not of before. */
export async function changes(
  counter: Locator,
  attribute: string,
  act: () => Promise<void>,
  timeout = 30_000,
): Promise<void> {
  const before = (await counter.getAttribute(attribute)) ?? '';
  await act();
  await expect(counter).not.toHaveAttribute(attribute, before, { timeout });
}

/** What a user does on the page. */
export class LabPage {
  constructor(
    readonly page: Page,
    readonly wrong: string[],
  ) {}

  async loadModel(files: ModelFiles = modelFiles): Promise<void> {
    await this.page.locator('#model input[type=file]').first().setInputFiles(files);
    await expect(this.page.locator('#model .facts')).toBeVisible();
  }

  async loadText(text: string, name = 'pairs.txt'): Promise<void> {
    const file = { name, mimeType: 'text/plain', buffer: Buffer.from(text) };
    await this.page.locator('#data input[type=file]').first().setInputFiles(file);
  }

  /** Model, data and quick settings: ready to start. */
  async prepare(
    settings: { steps?: number; lr?: string; validate?: number; model?: ModelFiles } = {},
  ): Promise<void> {
    await this.loadModel(settings.model);
    await this.loadText(pairs());
    await expect(this.page.locator('#data .facts')).toBeVisible();
    await this.set('steps', String(settings.steps ?? 20));
    await this.set('validation_every', String(settings.validate ?? 10));
    const lr = settings.lr ?? '1e-2';
    const runs = await this.page.locator('.run').count();
    for (let run = 0; run < runs; run += 1) await this.set(`runs.${run}.lr`, lr);
    await expect(this.page.locator('#start')).toBeEnabled();
  }

  field(name: string) {
    return this.page.locator(`[data-field="${name}"]`);
  }

  async set(name: string, value: string): Promise<void> {
    await this.field(name).locator('input').first().fill(value);
  }

  button(id: string) {
    return this.page.locator(`#${id}`);
  }

  async start(): Promise<void> {
    await this.begins(() => this.button('start').click());
  }

  /** Begins a training, and waits until the page tells of it and no longer of the one before. */
  begins(act: () => Promise<void>): Promise<void> {
    return changes(this.page.locator('#status'), 'data-training', act);
  }

  async reaches(step: number): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => Number.parseInt(document.querySelector('#step-count')?.textContent ?? '0', 10) >= wanted,
      step,
    );
  }

  async finished(): Promise<void> {
    await expect(this.page.locator('#status')).toHaveText('Finished.', { timeout: 90_000 });
    await expect(this.page.getByRole('button', { name: 'Stop writing' })).toBeHidden({ timeout: 30_000 });
    // Numbers rest between two drawings; a state that is final stands beside numbers that are.
    const states = this.page.locator('#readouts [data-column=State]');
    await expect(states.filter({ hasText: /^(training|waiting)$/ })).toHaveCount(0);
  }

  async withoutSamples(): Promise<void> {
    await this.page.locator('#sample-around').uncheck();
  }

  /** A number of the table of runs. */
  async readout(run: string, column: string): Promise<string> {
    return this.page.locator(`[data-run="${run}"] [data-column="${column}"]`).innerText();
  }

  /** Unrounded losses. */
  losses(run: number): Promise<(number | null)[]> {
    return this.page.evaluate((index) => window.testHooks?.losses(index) ?? [], run);
  }

  async crashWorker(index: number): Promise<void> {
    await this.page.evaluate((worker) => window.testHooks?.crashWorker(worker), index);
  }
}
