import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expectClean } from './clean';
import { expect, type LabPage, shownAs, test } from './lab-test';
import { unstick } from './unstick';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

const prompt = 'house : red';

async function ask(lab: LabPage, tokens: number): Promise<void> {
  await lab.field('prompt').locator('textarea').fill(prompt);
  await lab.set('max_tokens', String(tokens));
  await lab.page.locator('#write').click();
}

test('the base answers before any training, token by token, and stops at a stop string', async ({ lab }) => {
  const { page } = lab;
  await expect(page.locator('#write')).toBeDisabled();
  await lab.loadModel();
  await page.evaluate(() => {
    const lengths: number[] = [];
    Object.assign(window, { lengths });
    new MutationObserver(() => {
      const length = document.querySelector('.answer-text')?.textContent?.length ?? 0;
      if (length !== lengths.at(-1)) lengths.push(length);
    }).observe(document.querySelector('.sample-groups') ?? document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  await ask(lab, 60);
  const groups = page.locator('.sample-group');
  await expect(groups.locator('h3')).toHaveText('The base alone');
  await expect(groups.locator('h4')).toHaveText('Base');
  await expect(groups.locator('.answer-foot .hint')).toHaveText(/^60 tokens · [\d.,]+ \/ s$/);
  const lengths = await page.evaluate(() => Reflect.get(window, 'lengths') as number[]);
  // It was seen to grow; how often it was drawn on the way depends on the machine.
  expect(lengths.length).toBeGreaterThan(1);
  expect(lengths).toEqual(lengths.toSorted((one, other) => one - other));
  const whole = await groups.locator('.answer-text').innerText();

  // A piece from the middle, which no token has to end with.
  const middle = Math.floor(whole.length / 2);
  const stop = whole.slice(middle, middle + 5);
  await lab
    .field('stop')
    .locator('textarea')
    .fill(stop.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t'));
  await page.locator('#write').click();
  await expect(groups).toHaveCount(2);
  await expect(groups.first().locator('.answer-foot .hint')).toHaveText(/tokens ·/);
  await expect(page.locator('#write')).toBeEnabled();
  const stopped = await groups.first().locator('.answer-text').textContent();
  const all = (await groups.last().locator('.answer-text').textContent()) ?? '';
  expect(stopped).toBe(all.slice(0, all.indexOf(stop)));
});

test('writing can be stopped, and answers are copied and cleared', async ({ lab }) => {
  const { page } = lab;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await lab.loadModel();
  await page.evaluate(() => {
    const watcher = new MutationObserver(() => {
      const stop = [...document.querySelectorAll<HTMLButtonElement>('#samples button')].find(
        (button) => button.textContent === 'Stop writing',
      );
      if (stop === undefined || (document.querySelector('.answer-text')?.textContent ?? '') === '') return;
      watcher.disconnect();
      stop.click();
    });
    watcher.observe(document.querySelector('.sample-groups') ?? document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  await ask(lab, 110);
  await expect(page.getByRole('button', { name: 'Stop writing' })).toBeHidden();
  const words = await page.locator('.answer-foot .hint').innerText();
  expect(Number.parseInt(words, 10)).toBeLessThan(110);
  await page.getByRole('button', { name: /^Copy the answer of Base/ }).click();
  await expect(page.locator('button.copy')).toContainText('Copied');
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied.trimStart()).toBe(await page.locator('.answer-text').textContent());
  await page.getByRole('button', { name: 'Clear answers' }).click();
  await expect(page.locator('.sample-group')).toHaveCount(0);
  await expect(page.locator('#answers-undo')).toBeFocused();
  await page.locator('#answers-undo').click();
  await expect(page.locator('.answer-text')).toHaveText(copied, { useInnerText: false });
});

test('answers of two trainings stay beside each other', async ({ lab }) => {
  const { page } = lab;
  await lab.prepare({ steps: 4, validate: 0 });
  await lab.set('max_tokens', '8');
  for (let training = 0; training < 2; training += 1) {
    await lab.start();
    await lab.finished();
  }
  await expect(page.locator('.sample-group h3')).toHaveText([
    'Training 2, after step 4',
    'Training 2, before training',
    'After step 4',
    'Before training',
  ]);
  // Another model: its answers are no longer to be compared.
  await page.getByText('Choose a model').click();
  await lab.loadModel();
  await expect(page.locator('.sample-group')).toHaveCount(0);
});

test('losses token by token: of the base, of runs, and what training changed', async ({ lab }) => {
  const { page } = lab;
  const section = page.locator('#token-losses');
  const tokens = section.locator('.heat-token');
  const show = section.getByLabel('Colours show');
  await lab.withoutSamples();
  await lab.prepare({ steps: 30, validate: 30 });
  // A single held-out example, so that its mean is the validation loss.
  await page.getByText('How it is read').click();
  await lab.set('validation', '1');
  await page.locator('#read-data').click();
  await expect(page.locator('#data .facts')).toContainText('1 example');
  await page.locator('#measure').click();
  await expect(tokens.first()).toBeVisible();
  await expect(show.locator('option')).toHaveText(['Loss of Base']);
  const row = (name: string) =>
    section.locator('tr', { has: page.getByRole('rowheader', { name, exact: true }) });
  const base = await row('Base').locator('td').nth(1).innerText();

  await lab.start();
  await lab.finished();
  await page.locator('#measure').click();
  await expect(show.locator('option')).toHaveText([
    'Loss of Base',
    'Loss of AdamW',
    'Loss of Scaled AdamW',
    'AdamW − base',
    'Scaled AdamW − base',
  ]);
  expect(await row('Base').locator('td').nth(1).innerText()).toBe(base);
  for (const run of ['AdamW', 'Scaled AdamW']) {
    const mean = Number(await row(run).locator('td').nth(1).innerText());
    expect(mean).toBeCloseTo(Number(await lab.readout(run, 'Validation')), 3);
    expect(mean).toBeLessThan(Number(base));
  }
  // Training made the completion likelier, so some tokens are on the cool side.
  await expect(section.locator('.heat-token.cool.counts').first()).toBeVisible();
  await expect(section.locator('.heat-legend')).toContainText('the run is better');

  await tokens.first().focus();
  await page.keyboard.press('End');
  await expect(tokens.last()).toBeFocused();
  await expect(tokens.last()).toHaveAttribute('aria-selected', 'true');
  await expect(section.locator('.heat-readout')).toHaveText(/Base [\d.e-]+, AdamW .*difference/);
  await tokens.nth(1).hover();
  await expect(section.locator('.heat-readout')).toContainText('Token 2 ');
  await section.getByText('Numbers of each token').click();
  await expect(section.getByRole('region', { name: 'Losses of each token' }).locator('tbody tr')).toHaveCount(
    await tokens.count(),
  );
  await show.selectOption('Loss of Base');
  await expect(section.locator('.heat-token.cool')).toHaveCount(0);

  await section.getByLabel('Measure', { exact: true }).selectOption('text');
  await section.getByLabel('Text', { exact: true }).fill('a');
  await page.locator('#measure').click();
  await expect(section.locator('.message.bad')).toContainText('a few words');
  await section.getByLabel('Text', { exact: true }).fill('The river is black. '.repeat(60));
  await page.locator('#measure').click();
  await expect(section.locator('.message.warn')).toContainText('left out');
  await expect(tokens).toHaveCount(128);
});

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360]) {
    test.describe(`${scheme}, ${width} px`, () => {
      test.use(shownAs(scheme, width, 900));
      test('playground: axe finds nothing', async ({ lab }) => {
        const { page } = lab;
        await lab.prepare({ steps: 30, validate: 0 });
        await lab.set('max_tokens', '24');
        await lab.start();
        await lab.finished();
        await page.locator('#measure').click();
        await expect(page.locator('#token-losses .heat')).toBeVisible();
        await unstick(page);
        const picture = (name: string, section: string) =>
          page.locator(`#${section}`).screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`) });
        await expectClean(page);
        await picture('playground', 'samples');
        await picture('losses-difference', 'token-losses');
        await page.locator('#token-losses').getByLabel('Colours show').selectOption('Loss of Base');
        await expectClean(page);
        await picture('losses', 'token-losses');
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
      });
    });
  }
}
