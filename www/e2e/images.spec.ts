import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expectClean } from './clean';
import { changes, expect, test } from './lab-test';
import { png, pngHeader } from './png';
import { unstick } from './unstick';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

const view = (page: Page) => page.locator('#images-view');
const field = (page: Page, name: string) => view(page).locator(`[data-field="${name}"]`);
const lane = (page: Page, name: string) => view(page).locator(`[data-lane="${name}"]`);

async function open(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Images', exact: true }).click();
  await page.locator('#images-load').click();
  await expect(lane(page, 'Base').locator('canvas')).toHaveCount(8, { timeout: 60_000 });
}

async function set(page: Page, name: string, value: string): Promise<void> {
  await field(page, name).locator('input').first().fill(value);
}

/** Quick settings: few steps, a drawing in the middle, pictures of few steps. */
async function quick(page: Page, steps: number): Promise<void> {
  await set(page, 'steps', String(steps));
  await set(page, 'batch_size', '4');
  await set(page, 'validation_every', String(steps));
  await set(page, 'draw_every', String(steps / 2));
  await set(page, 'draw_steps', '6');
}

async function train(page: Page): Promise<void> {
  const status = page.locator('#images-status');
  const start = () => page.locator('#images-start').click();
  await draws(page, () => changes(status, 'data-training', start));
  await expect(status).toHaveText('Finished.', { timeout: 90_000 });
  await drawn(page);
}

/** Nothing is left to be drawn. */
async function drawn(page: Page): Promise<void> {
  await expect(page.locator('#images-drawing')).toHaveText('', { timeout: 60_000 });
}

/** Does what makes the page draw, and waits until it has. */
async function draws(page: Page, act: () => Promise<void>): Promise<void> {
  await changes(page.locator('#images-drawing'), 'data-drawn', act, 60_000);
  await drawn(page);
}

/** The bytes of all pictures of a row, one picture after the other. */
function pixels(page: Page, name: string): Promise<number[]> {
  return lane(page, name)
    .locator('canvas')
    .evaluateAll((canvases) =>
      canvases.flatMap((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        const context = (canvas as HTMLCanvasElement).getContext('2d');
        return [...(context?.getImageData(0, 0, width, height).data ?? [])];
      }),
    );
}

/** Mean difference of two rows in bytes. */
function difference(one: number[], other: number[]): number {
  expect(one).toHaveLength(8 * 24 * 24 * 4);
  return one.reduce((sum, value, index) => sum + Math.abs(value - (other[index] ?? 0)), 0) / one.length;
}

test('the model draws, two methods learn a subject, and their adapters leave and come back', async ({
  lab,
}) => {
  const { page } = lab;
  await open(page);
  await expect(view(page).locator('.facts').first()).toContainText('24 × 24 pixels');
  const heart = await pixels(page, 'Base');
  // Red is what it was asked for.
  const mean = (channel: number) =>
    heart.filter((_, index) => index % 4 === channel).reduce((sum, value) => sum + value, 0);
  expect(mean(0)).toBeGreaterThan(1.15 * mean(1));
  expect(mean(0)).toBeGreaterThan(1.15 * mean(2));

  await draws(page, () => page.locator('#images-use-subject').click());
  await expect(view(page).locator('.shelf li')).toHaveCount(10);
  await expect(view(page)).toContainText('New words');
  await expect(field(page, 'captions').locator('textarea')).toHaveValue(/zib/);
  await expect(lane(page, 'Base').getByRole('img')).toHaveAccessibleName(/zib/);
  await quick(page, 12);
  for (const run of [2, 3]) await set(page, `runs.${run}.lr`, '1e-2');
  await train(page);
  await expect(lane(page, 'AdamW').locator('canvas')).toHaveCount(8);
  await expect(lane(page, 'To learn').locator('canvas')).toHaveCount(8);
  const [base, plain, scaled] = [
    await pixels(page, 'Base'),
    await pixels(page, 'AdamW'),
    await pixels(page, 'Scaled AdamW'),
  ];
  expect(difference(base, plain)).toBeGreaterThan(3);
  expect(difference(base, scaled)).toBeGreaterThan(3);
  expect(difference(plain, scaled)).toBeGreaterThan(1);
  await expect(lane(page, 'AdamW').getByRole('img')).toHaveAccessibleName(
    /^Drawn by AdamW, after step 12: zib/,
  );
  await expect(page.locator('#images-readouts [data-run="AdamW"] [data-column="Validation"]')).toHaveText(
    /\d/,
  );

  // Back to the step before training, where a run draws what the base draws.
  const slider = view(page).getByLabel('Kept grids');
  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(page.locator('#images-grid-title')).toHaveText('Before training');
  expect(difference(await pixels(page, 'Base'), await pixels(page, 'AdamW'))).toBe(0);
  await page.keyboard.press('End');
  await expect(page.locator('#images-grid-title')).toHaveText('After step 12');

  const picture = page.waitForEvent('download');
  await view(page).getByRole('button', { name: 'Save this grid as PNG' }).click();
  const saved = await picture;
  expect(saved.suggestedFilename()).toBe('drawings-step-12.png');
  expect(readFileSync(await saved.path()).length).toBeGreaterThan(5000);

  const download = page.waitForEvent('download');
  await view(page).getByRole('button', { name: 'Safetensors of Scaled AdamW' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('Scaled-AdamW.safetensors');
  await set(page, 'rank', '2');
  const buffer = readFileSync(await file.path());
  await page
    .locator('#images-adapters input[type=file]')
    .setInputFiles([{ name: file.suggestedFilename(), mimeType: 'application/octet-stream', buffer }]);
  await expect(page.locator('#images-adapters .adapter-start')).toContainText('Scaled-AdamW');
  await expect(field(page, 'rank').locator('input').first()).toHaveValue('4');
  await set(page, 'steps', '1');
  await train(page);
  await slider.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(page.locator('#images-grid-title')).toHaveText('Training 2, before training');
  for (const run of ['AdamW', 'Scaled AdamW']) {
    expect(difference(await pixels(page, run), scaled), run).toBeLessThan(0.5);
  }
});

test('bad pictures are told of, and the others can be learned', async ({ lab }) => {
  const { page } = lab;
  await page.getByRole('link', { name: 'Images', exact: true }).click();
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="3" fill="red"/></svg>';
  const files: [string, Buffer][] = [
    ['blue_sky-1.png', png(30, [0, 0, 255, 255])],
    ['empty.png', Buffer.alloc(0)],
    ['huge.png', pngHeader(60_000)],
    ['notes.txt', Buffer.from('no picture')],
    ['broken.png', png(30, [0, 0, 0, 255]).subarray(0, 45)],
    ['moving.png', png(30, [0, 255, 0, 255], true)],
    ['glass.png', png(30, [255, 0, 0, 100])],
    ['red dot.svg', Buffer.from(svg)],
  ];
  await page
    .locator('#images-data input[type=file]')
    .first()
    .setInputFiles(files.map(([name, buffer]) => ({ name, mimeType: 'application/octet-stream', buffer })));
  const shelf = view(page).locator('.shelf li');
  await expect(shelf).toHaveCount(4);
  const refused = view(page).locator('.refused');
  for (const words of ['empty.png is empty', '60000 × 60000 pixels', 'notes.txt is no', 'broken.png']) {
    await expect(refused).toContainText(words);
  }
  await expect(shelf.nth(1)).toContainText('animated');
  await expect(shelf.nth(2)).toContainText('transparent');
  await expect(shelf.nth(0).getByRole('textbox')).toHaveValue(/^blue sky/);
  await shelf.nth(0).getByRole('textbox').fill('zonk sky');
  // A picture that is removed can come back, and the focus goes to the one that takes its place.
  const remove = (index: number) => shelf.nth(index).getByRole('button');
  await remove(1).focus();
  await remove(1).press('Enter');
  await expect(shelf).toHaveCount(3);
  await expect(remove(1)).toBeFocused();
  await expect(page.locator('#images-shelf-status')).toContainText(/^moving.* removed\.$/);
  await page.locator('#images-shelf-undo').click();
  await expect(shelf).toHaveCount(4);
  await expect(shelf.nth(0).getByRole('textbox')).toHaveValue('zonk sky');
  await expect(shelf.nth(1)).toContainText('animated');
  await remove(3).focus();
  await remove(3).press('Enter');
  await expect(shelf).toHaveCount(3);
  await expect(remove(2)).toBeFocused();
  await page.locator('#images-load').click();
  await expect(page.locator('#images-start')).toBeEnabled({ timeout: 60_000 });
  await expect(shelf.nth(0)).toContainText('new: “zonk”');
  await expectClean(page, 'with refused pictures');
});

test('the tab is as it should be in both themes, on a laptop and on a phone', async ({ lab }) => {
  const { page } = lab;
  await open(page);
  await draws(page, () => page.locator('#images-use-subject').click());
  await expect(view(page).locator('.shelf li')).toHaveCount(10);
  await quick(page, 8);
  for (const run of [2, 3]) await set(page, `runs.${run}.lr`, '3e-3');
  await set(page, 'draw_every', '0');
  await train(page);
  await unstick(page);
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const where = `${colorScheme}, ${width} px`;
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await expect.poll(overflow, where).toBe(0);
      await expectClean(page, where);
      await page.screenshot({ path: join(shots, `images-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
});
