import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expectClean } from './clean';
import { changes, expect, type LabPage, shownAs, test } from './lab-test';
import { unstick } from './unstick';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

const status = (page: Page) => page.locator('#sweep-status');
const values = (page: Page) => page.locator('[data-field="sweep.values"] textarea');

async function open(page: Page, tab: 'Sweep' | 'Runs' | 'Language'): Promise<void> {
  await page.getByRole('link', { name: tab, exact: true }).click();
}

/** Model, data and few steps in the Language tab, and a list of learning rates for the two default methods. */
async function prepare(lab: LabPage, lrs = '1e-3, 1e-2, 1e30', steps = 12): Promise<void> {
  await open(lab.page, 'Language');
  await lab.withoutSamples();
  await lab.prepare({ steps });
  await open(lab.page, 'Sweep');
  await values(lab.page).fill(lrs);
}

async function train(page: Page): Promise<void> {
  await changes(status(page), 'data-sweep', () => page.locator('#sweep-start').click());
  await expect(status(page)).toContainText('Finished.', { timeout: 90_000 });
}

const summary = (page: Page, method: string, column: string) =>
  page.locator(`#sweep-summary tr[data-method^="${method}"] [data-column="${column}"]`).first();

async function cleanAndWithin(page: Page): Promise<void> {
  await expectClean(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBe(0);
}

test('two methods at three rates: one diverges, a point is added, a reload keeps it all', async ({ lab }) => {
  const { page } = lab;
  await open(page, 'Sweep');
  await expect(page.locator('#sweep-basis')).toContainText('No model is loaded');
  await expect(page.locator('#sweep-start')).toBeDisabled();
  await expect(status(page)).toContainText('Load a model in the Language tab first');
  await page.getByRole('link', { name: 'Choose them in the Language tab' }).click();
  await prepare(lab);
  await expect(page.locator('#sweep-start')).toHaveText('Train 6 runs');
  await train(page);
  for (const method of ['AdamW', 'Scaled AdamW']) {
    await expect(summary(page, method, 'Diverged')).toHaveText('1 of 3');
    await expect(summary(page, method, 'At learning rate')).toHaveText('0.01');
  }
  await expect(page.locator('#sweep-words')).toContainText('1 diverged of 3 runs');
  const words = await page.locator('#sweep-results [role=img]').getAttribute('aria-label');
  expect(words).toContain('best validation loss');
  await page.locator('#sweep-results').getByText('Numbers', { exact: true }).click();
  await expect(page.locator('#sweep-losses tbody tr')).toHaveCount(3);
  const before = await page.locator('#sweep-losses tbody tr').nth(1).innerText();
  await expect(page.locator('#sweep-start')).toBeDisabled();

  await values(page).fill('1e-3, 1e-2, 3e-2, 1e30');
  await expect(page.locator('#sweep-start')).toHaveText('Train 2 runs');
  await train(page);
  await expect(page.locator('#sweep-losses tbody tr')).toHaveCount(4);
  expect(await page.locator('#sweep-losses tbody tr').nth(1).innerText()).toBe(before);

  const all = await page.locator('#sweep-losses').innerText();
  await page.getByRole('button', { name: 'Forget these results' }).click();
  await expect(page.locator('#sweep-losses')).toBeHidden();
  await expect(page.locator('#sweep-start')).toHaveText('Train 8 runs');
  await expect(page.locator('#sweep-forget-undo')).toBeFocused();
  await page.locator('#sweep-forget-undo').click();
  await expect(page.locator('#sweep-losses')).toHaveText(all, { useInnerText: true });

  await page.reload();
  await expect(page.locator('#sweep-others')).toContainText('These results were kept on');
  await expect(summary(page, 'AdamW', 'Diverged')).toHaveText('1 of 4');
  await expect(values(page)).toHaveValue('1e-3, 1e-2, 3e-2, 1e30');
  await open(page, 'Runs');
  await expect(page.locator('#runs-table tbody tr')).toHaveCount(8);
});

test('a sweep pauses, goes on, stops and lets the Language tab wait', async ({ lab }) => {
  const { page } = lab;
  await prepare(lab, '1e-3, 1e-2', 400);
  await page.locator('#sweep-start').click();
  await expect(status(page)).toHaveText('Training.');
  await page.locator('#sweep-pause').click();
  await expect(status(page)).toContainText('Paused');
  await expect(page.locator('#sweep-pause')).toHaveText('Resume');
  await open(page, 'Language');
  await expect(page.locator('#status')).toContainText('A sweep uses the engine');
  for (const id of ['start', 'pause', 'step', 'stop']) await expect(lab.button(id)).toBeDisabled();
  await expect(lab.field('steps').locator('input')).toBeDisabled();
  await open(page, 'Sweep');
  await page.locator('#sweep-pause').click();
  await expect(status(page)).toHaveText('Training.');
  await page.locator('#sweep-stop').click();
  await expect(status(page)).toContainText('Stopped.');
  await open(page, 'Language');
  await expect(lab.button('start')).toBeEnabled();
  await lab.set('steps', '5');
  await lab.start();
  await lab.finished();
  await open(page, 'Sweep');
  await expect(page.locator('#sweep-start')).toBeEnabled();
});

test('rank is varied in banks of its own', async ({ lab }) => {
  const { page } = lab;
  await prepare(lab, '1e-3', 5);
  await page.getByRole('combobox', { name: 'Varied', exact: true }).selectOption('rank');
  await values(page).fill('1, 4');
  await train(page);
  await expect(page.locator('#sweep-losses tbody tr')).toHaveCount(2);
  await expect(page.locator('#sweep-losses thead')).toContainText('rank');
});

test('each run is trained with several seeds, and the chart shows what they have between them', async ({
  lab,
}) => {
  const { page } = lab;
  await prepare(lab, '1e-3, 1e-2', 5);
  await page.locator('[data-field="sweep.seeds"] input').fill('3');
  await expect(page.locator('#sweep-start')).toHaveText('Train 12 runs');
  await train(page);
  await page.locator('#sweep-results').getByText('Numbers', { exact: true }).click();
  const cells = page.locator('#sweep-losses tbody td');
  await expect(cells).toHaveCount(4);
  for (const text of await cells.allInnerTexts()) {
    const [, mean = '', low = '', high = ''] =
      /^([\d.]+) \(([\d.]+) to ([\d.]+), 3 seeds\)$/.exec(text) ?? [];
    expect(Number(low)).toBeLessThan(Number(high));
    expect(Number(mean)).toBeGreaterThanOrEqual(Number(low));
    expect(Number(mean)).toBeLessThanOrEqual(Number(high));
  }
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save robustness as SVG' }).click();
  const svg = readFileSync(await (await coming).path(), 'utf8');
  expect(svg.match(/fill-opacity="0.16"/g)).toHaveLength(2);
  await page.locator('#sweep-results').screenshot({ path: join(shots, 'sweep-seeds.png') });
  // A fourth seed is trained alone.
  await page.locator('[data-field="sweep.seeds"] input').fill('4');
  await expect(page.locator('#sweep-start')).toHaveText('Train 4 runs');
});

test('nonsense is said at its field, and what cannot be judged is not trained', async ({ lab }) => {
  const { page } = lab;
  await prepare(lab);
  const wrong: [string, string, string][] = [
    ['points', '0', '3'],
    ['lowest', '-1', '1e-3'],
    ['highest', '1e-9', '1e-1'],
    ['values', '1e-3, fast', '1e-3, 1e-2'],
    ['values', Array.from({ length: 101 }, (_, index) => index + 1).join(), '1e-3'],
  ];
  for (const [name, bad, good] of wrong) {
    const field = page.locator(`[data-field="sweep.${name}"]`);
    await field.locator('input, textarea').first().fill(bad);
    await expect(field.locator('.problem')).toBeVisible();
    await expect(page.locator('#sweep-start')).toBeDisabled();
    await field.locator('input, textarea').first().fill(good);
    await expect(field.locator('.problem')).toBeHidden();
  }
  await page
    .getByRole('checkbox', { name: /^AdamW/ })
    .first()
    .uncheck();
  await page.getByRole('checkbox', { name: 'Scaled AdamW (safe)' }).uncheck();
  await expect(page.locator('[data-field="sweep.methods"] > .problem')).toContainText('at least one method');
});

test('storage that refuses is said, and the sweep goes on in memory', async ({ lab }) => {
  const { page } = lab;
  await page.addInitScript(() => {
    indexedDB.open = () => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    };
  });
  await page.reload();
  await page.waitForFunction(() => window.testHooks !== undefined);
  await prepare(lab, '1e-2', 5);
  await train(page);
  await expect(page.locator('#sweep-results .message.bad', { hasText: 'quota' })).toContainText(
    'does not keep results',
  );
  await expect(page.locator('#sweep-losses')).toBeAttached();
  await open(page, 'Runs');
  await expect(page.locator('#runs-all .message.bad', { hasText: 'quota' })).toContainText(
    'until the page is closed',
  );
  await expect(page.locator('#runs-table tbody tr')).toHaveCount(2);
});

test('the table of runs is sorted, filtered, renamed, hidden, compared, used and emptied', async ({
  lab,
}) => {
  const { page } = lab;
  await open(page, 'Runs');
  await expect(page.locator('#runs-view')).toContainText('No runs yet');
  await open(page, 'Language');
  await lab.withoutSamples();
  await lab.prepare({ steps: 6 });
  await lab.set('runs.1.lr', '1e30');
  await lab.start();
  await lab.finished();
  await open(page, 'Runs');
  const rows = page.locator('#runs-table tbody tr');
  await expect(rows).toHaveCount(2);
  await expect(page.locator('tr[data-run="Scaled AdamW"] [data-column=End]')).toContainText('diverged');

  await page.getByRole('button', { name: 'lr', exact: true }).click();
  const head = page.locator('#runs-table th[data-column="lr"]');
  await expect(head).toHaveAttribute('aria-sort', 'ascending');
  await expect(rows.first()).toHaveAttribute('data-run', 'AdamW');
  await head.getByRole('button').click();
  await expect(head).toHaveAttribute('aria-sort', 'descending');
  await expect(rows.first()).toHaveAttribute('data-run', 'Scaled AdamW');
  await page.locator('#runs-filter').fill('diverged');
  await expect(rows).toHaveCount(1);
  await page.locator('#runs-filter').fill('');

  const name = page.getByRole('textbox', { name: 'Name of AdamW', exact: true });
  await name.fill('The plain one');
  await name.press('Enter');
  await expect(page.locator('#runs-table')).toHaveAttribute('aria-busy', 'false');
  await page.reload();
  await page.waitForFunction(() => window.testHooks !== undefined);
  await expect(page.locator('tr[data-run="The plain one"]')).toBeVisible();

  await page.getByRole('checkbox', { name: 'Choose all runs that are shown' }).check();
  await page.locator('#runs-compare').click();
  await expect(page.locator('#compare-words')).toContainText('lr');
  await expect(page.locator('#compare-table .differs').first()).toBeVisible();
  const saved = async (button: string) => {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: button }).click();
    return readFileSync(await (await coming).path(), 'utf8');
  };
  expect(await saved('Save the comparison as SVG')).toContain('The plain one');
  const csv = (await saved('Save the runs that are shown as CSV')).trimEnd().split('\r\n');
  expect(csv).toHaveLength(3);
  expect(csv[0]).toMatch(/^name,method,origin,model,data,/);
  await page.locator('#compare').getByRole('button', { name: 'Close' }).click();
  await page.locator('#runs-use').click();
  await expect(page.locator('#runs-status')).toContainText('2 runs added');
  await expect(page.locator('.run')).toHaveCount(4);

  await page.getByRole('checkbox', { name: 'Choose Scaled AdamW' }).uncheck();
  await page.locator('#runs-hide').click();
  await expect(rows).toHaveCount(1);
  await page.getByRole('checkbox', { name: 'Show hidden' }).check();
  await expect(rows).toHaveCount(2);
  await page.getByRole('checkbox', { name: 'Choose all runs that are shown' }).check();
  await page.locator('#runs-delete').click();
  await expect(rows).toHaveCount(0);
  await expect(page.locator('#runs-status')).toHaveText('2 runs deleted.');
  await page.locator('#runs-undo').click();
  await expect(page.locator('#runs-status')).toHaveText('2 runs brought back.');
  await expect(rows).toHaveCount(2);
});

/** The robustness chart and all curves, as files. */
async function savePictures(page: Page, scheme: string): Promise<void> {
  for (const name of ['robustness', 'curves of the sweep']) {
    for (const form of ['SVG', 'PNG']) {
      const coming = page.waitForEvent('download');
      await page.getByRole('button', { name: `Save ${name} as ${form}` }).click();
      const file = await coming;
      const [stem, ending] = file.suggestedFilename().split('.');
      expect(ending).toBe(form.toLowerCase());
      await file.saveAs(join(shots, `saved-${stem}-${scheme}.${ending}`));
      if (form !== 'SVG') continue;
      const text = readFileSync(await file.path(), 'utf8');
      expect(text).toContain('SGD (plain)');
      expect(text).not.toMatch(/NaN|undefined|var\(/);
    }
  }
}

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360]) {
    test.describe(`${scheme}, ${width} px`, () => {
      test.use(shownAs(scheme, width, 900));
      test('axe finds nothing in Sweep and Runs', async ({ lab }) => {
        const { page } = lab;
        // A button on its way from one colour to another has the contrast of neither.
        const picture = (name: string) =>
          page.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`), fullPage: true });
        await open(page, 'Sweep');
        await cleanAndWithin(page);
        await prepare(lab, '1e-4, 1e-3, 1e-2, 1e-1, 1e3', 30);
        await page.getByRole('checkbox', { name: 'SGD (plain)', exact: true }).check();
        await train(page);
        await page.locator('#sweep-results').getByText('Numbers', { exact: true }).click();
        await cleanAndWithin(page);
        if (width === 1280) await savePictures(page, scheme);
        await unstick(page);
        await picture('sweep');
        await page.locator('[data-field="sweep.points"] input').fill('0');
        await page.getByRole('combobox', { name: 'Varied', exact: true }).selectOption('damping');
        await cleanAndWithin(page);
        await picture('sweep-problems');
        await open(page, 'Runs');
        await page.locator('#runs-table tbody tr input[type=checkbox]').nth(1).check();
        await page.locator('#runs-table tbody tr input[type=checkbox]').nth(4).check();
        await page.locator('#runs-compare').click();
        await cleanAndWithin(page);
        await picture('runs');
      });
    });
  }
}
