import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expectClean } from './clean';
import { expect, shownAs, test } from './lab-test';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

const status = (page: Page) => page.locator('#theory-status');
const field = (page: Page, name: string) => page.locator(`#theory-view [data-field="${name}"]`);
const slider = (page: Page, name: string) => field(page, name).getByRole('slider');

async function open(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Theory', exact: true }).click();
  await solved(page);
}

async function solved(page: Page): Promise<void> {
  await expect(status(page)).toContainText('It took', { timeout: 30_000 });
}

async function cell(page: Page, method: string, column: string): Promise<string> {
  return page.locator(`[data-method="${method}"] [data-column="${column}"]`).innerText();
}

const iterations = (page: Page, method: string) => cell(page, method, 'Iterations to 1e-6');

test('the tab solves its problem at once, and shows how long each method took', async ({ lab }) => {
  const { page } = lab;
  await expect(page.locator('#theory-view')).toBeHidden();
  await open(page);
  await expect(page.locator('#language-view')).toBeHidden();
  expect(new URL(page.url()).hash).toBe('#theory');
  expect(Number(await iterations(page, 'scaled_gd'))).toBeGreaterThan(10);
  expect(await iterations(page, 'gd')).toBe('more than 3,000');
  await expect(status(page)).toContainText('Scaled GD reached 1e-6 after');
  await expect(status(page)).toContainText('GD did not reach 1e-6 within 3,000 iterations');
  await expect(page.locator('#theory-assumption')).toContainText('does not hold');
  const words = await page.locator('#theory-view [role=img]').getAttribute('aria-label');
  expect(words).toContain('Scaled GD reached');
  const seconds = Number(/It took ([\d.]+) (ms|s)/.exec(await status(page).innerText())?.[1]);
  test.info().annotations.push({ type: 'full run', description: `${seconds}` });
  await page.getByRole('link', { name: 'Language', exact: true }).click();
  await expect(page.locator('#model')).toBeVisible();
  await expect(page.locator('#theory-view')).toBeHidden();
});

test('a button says which methods see how the product is split', async ({ lab }) => {
  const { page } = lab;
  await open(page);
  const before = await iterations(page, 'scaled_gd');
  await page.getByRole('button', { name: 'Test invariance' }).click();
  const words = page.locator('#theory-invariance-words');
  await expect(words).toContainText('From BR and R⁻¹A with a condition of R of 10', { timeout: 60_000 });
  await expect(words).toContainText(': GD takes another path');
  for (const method of ['Scaled GD', 'Data-scaled GD', 'Tangent GD'])
    await expect(words).toContainText(`${method} takes the same path`);
  // What is shown in the end is the problem that is set.
  expect(await iterations(page, 'scaled_gd')).toBe(before);
  expect(Number(await cell(page, 'scaled_gd', 'Departure from the flow'))).toBeGreaterThan(1);
});

test('a slider starts anew, and the newest problem is the one that is shown', async ({ lab }) => {
  const { page } = lab;
  await open(page);
  const before = await iterations(page, 'data_scaled_gd');
  await slider(page, 'data_condition').focus();
  for (let presses = 0; presses < 20; presses += 1) await page.keyboard.press('ArrowRight');
  await expect(field(page, 'data_condition').locator('input[type=text]')).toHaveValue('10');
  await expect(page.locator('#theory-view .facts')).toContainText('Condition of X10', {
    useInnerText: false,
  });
  await solved(page);
  expect(await iterations(page, 'scaled_gd')).toBe('more than 3,000');
  expect(await iterations(page, 'data_scaled_gd')).not.toBe(before);
  expect(Number(await iterations(page, 'data_scaled_gd'))).toBeGreaterThan(10);
});

test('the best rates of a grid are found and shown at their fields', async ({ lab }) => {
  const { page } = lab;
  await open(page);
  await page.getByRole('combobox', { name: 'Problem', exact: true }).selectOption('low_rank_recovery');
  await page.getByRole('combobox', { name: 'Learning rates', exact: true }).selectOption('grid');
  await expect(status(page)).toContainText('Trying');
  await solved(page);
  expect(Number(await iterations(page, 'scaled_gd'))).toBeLessThan(30);
  const rate = await cell(page, 'scaled_gd', 'lr');
  await expect(field(page, 'lr.scaled_gd').locator('input[type=text]')).toHaveValue(rate);
  await expect(field(page, 'lr.scaled_gd').locator('input[type=text]')).toBeDisabled();
});

test('nonsense is refused at its field, and good input works again', async ({ lab }) => {
  const { page } = lab;
  await open(page);
  const wrong: [string, string, string][] = [
    ['lr.gd', '-1', '0.4'],
    ['lr.scaled_gd', 'fast', '0.4'],
    ['rank', '11', '2'],
    ['planted_condition', '0.5', '1'],
    ['data_condition', '1e9', '1'],
  ];
  for (const [name, bad, good] of wrong) {
    const input = field(page, name).locator('input[type=text]');
    await input.fill(bad);
    await expect(field(page, name).locator('.problem')).toContainText('must be');
    await expect(input).toHaveAttribute('aria-invalid', 'true');
    await input.fill(good);
    await expect(field(page, name).locator('.problem')).toBeHidden();
  }
  await solved(page);
});

test('a rate that is too large is a divergence and not an error', async ({ lab }) => {
  const { page } = lab;
  await open(page);
  await field(page, 'lr.scaled_gd').locator('input[type=text]').fill('10');
  await expect(page.locator('[data-method=scaled_gd]')).toContainText('diverged at');
  await solved(page);
});

test('a link brings a problem to another page, and nonsense in it is told', async ({
  lab,
  context,
  origin,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const { page } = lab;
  await open(page);
  await field(page, 'data_condition').locator('input[type=text]').fill('100');
  await page.getByRole('combobox', { name: 'Problem', exact: true }).selectOption('low_rank_recovery');
  await page.locator('#copy-theory-link').click();
  await expect(page.locator('#theory-view .link-place')).toContainText('The link was copied.');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await page.goto('about:blank');
  await page.goto(link);
  await expect(field(page, 'data_condition').locator('input[type=text]')).toHaveValue('100');
  await expect(page.getByRole('combobox', { name: 'Problem', exact: true })).toHaveValue('low_rank_recovery');
  expect(page.url()).toMatch(/#theory$/);
  await solved(page);
  await page.goto(`${origin}/?test-hooks#theory/rank=99`);
  await expect(page.locator('#theory-view .message.bad:visible')).toContainText('Rank must be');
  await expect(field(page, 'rank').locator('input[type=text]')).toHaveValue('2');
});

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 390]) {
    test.describe(`${scheme}, ${width} px`, () => {
      test.use(shownAs(scheme, width, 900));
      test('axe finds nothing in the Theory tab', async ({ lab }) => {
        const { page } = lab;
        await open(page);
        await expectClean(page);
        await page.screenshot({ path: join(shots, `theory-${scheme}-${width}.png`), fullPage: true });
        await field(page, 'lr.gd').locator('input[type=text]').fill('-1');
        await field(page, 'lr.gd').getByRole('button').click();
        await expectClean(page);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBe(0);
      });
    });
  }
}
