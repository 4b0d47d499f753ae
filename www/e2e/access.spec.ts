import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expectClean } from './clean';
import { expect, shownAs, test } from './lab-test';
import { unstick } from './unstick';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
const sections = ['model', 'data', 'settings', 'train', 'samples'];
mkdirSync(shots, { recursive: true });

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 390]) {
    test.describe(`${scheme}, ${width} px`, () => {
      test.use(shownAs(scheme, width, 900));
      test('axe finds nothing and every section is pictured', async ({ lab }) => {
        const { page } = lab;
        const picture = async (name: string) => {
          await page.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`), fullPage: true });
        };
        await picture('first');
        await expectClean(page);
        await lab.prepare({ steps: 40 });
        await lab.set('runs.1.lr', 'fast');
        await page.getByText('How it is read').click();
        await page.locator('.run').nth(1).getByText('More', { exact: true }).click();
        await expectClean(page);
        await picture('problems');
        await lab.set('runs.1.lr', '1e-2');
        await page.locator('#add-run').click();
        await lab.set('runs.2.lr', '1e30');
        await lab.set('max_tokens', '16');
        await lab.start();
        await lab.reaches(10);
        await expectClean(page);
        await lab.finished();
        await page.locator('#train').getByText('Numbers').first().click();
        await expectClean(page);
        await page.locator('#train').getByText('Numbers').first().click();
        // What sticks to the window would cover half of a long picture.
        await unstick(page);
        await picture('page');
        for (const section of sections) {
          await page
            .locator(`#${section}`)
            .screenshot({ path: join(shots, `${section}-${scheme}-${width}.png`) });
        }
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow).toBe(0);
      });
    });
  }
}

test('the theme switch overrides the system, and is remembered', async ({ lab }) => {
  const { page } = lab;
  await page.emulateMedia({ colorScheme: 'light' });
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  await page.locator('#theme').click();
  await page.locator('#theme').click();
  expect(await paper()).not.toBe(light);
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('everything before Start can be reached by keyboard, with a visible focus', async ({ lab }) => {
  const { page } = lab;
  await lab.prepare();
  const reached = new Set<string>();
  for (let presses = 0; presses < 160; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return null;
      const outlined = getComputedStyle(element).outlineStyle !== 'none';
      const label = element.matches('input[type=radio]') ? element.nextElementSibling : null;
      const seen = outlined || (label !== null && getComputedStyle(label).outlineStyle !== 'none');
      return { id: element.id, seen };
    });
    if (focused === null) continue;
    expect(focused.seen, `focus is visible on #${focused.id}`).toBe(true);
    reached.add(focused.id);
  }
  for (const id of ['theme', 'target-k_proj', 'add-run', 'start', 'step', 'sample-around']) {
    expect(reached).toContain(id);
  }
});
