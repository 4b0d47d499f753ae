import { expect, test } from './lab-test';

test('two runs train beside each other and both losses fall', async ({ lab }) => {
  await lab.prepare({ steps: 30 });
  await lab.start();
  await lab.finished();
  for (const run of ['AdamW', 'Scaled AdamW']) {
    const first = Number(await lab.readout(run, 'First loss'));
    const last = Number(await lab.readout(run, 'Loss now'));
    expect(first).toBeGreaterThan(0);
    expect(last).toBeLessThan(first * 0.9);
    expect(await lab.readout(run, 'State')).toBe('finished');
    expect(await lab.readout(run, 'Best validation')).toMatch(/ at \d+$/);
  }
  // Same adapters, same first batch.
  expect(await lab.readout('AdamW', 'First loss')).toBe(await lab.readout('Scaled AdamW', 'First loss'));
  await expect(lab.page.locator('#time-backward')).toContainText('%');
  await expect(lab.page.locator('#memory')).not.toHaveText('–');
  const label = await lab.page.getByRole('img', { name: /Training loss/ }).getAttribute('aria-label');
  expect(label).toMatch(/Scaled AdamW: from [\d.]+ to [\d.]+/);
});

test('the same seed gives the same losses, another seed others', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 5, validate: 0 });
  await lab.start();
  await lab.finished();
  const once = await lab.losses(1);
  await lab.start();
  await lab.finished();
  expect(await lab.losses(1)).toEqual(once);
  await lab.set('seed', '7');
  await lab.start();
  await lab.finished();
  expect(await lab.losses(1)).not.toEqual(once);
});

test('pause, step, resume and stop', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 5000, validate: 0 });
  const { page } = lab;
  await lab.start();
  await lab.reaches(3);
  await expect(lab.field('rank').locator('input')).toBeDisabled();
  await lab.button('pause').click();
  await expect(page.locator('#status')).toHaveText('Paused.');
  const paused = (await lab.losses(0)).length;
  expect((await lab.losses(1)).length).toBe(paused);
  await lab.button('step').click();
  await expect(page.locator('#step-count')).toHaveText(new RegExp(`^${(paused + 1).toLocaleString('en')} /`));
  await expect(page.locator('#status')).toHaveText('Paused.');
  expect((await lab.losses(1)).length).toBe(paused + 1);
  await lab.button('pause').click();
  await lab.reaches(paused + 3);
  await lab.button('stop').click();
  await expect(page.locator('#status')).toHaveText('Stopped.');
  await expect(lab.button('start')).toBeEnabled();
  await expect(lab.field('rank').locator('input')).toBeEnabled();
});

test('Step begins a training with one step', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 10, validate: 0 });
  await lab.button('step').click();
  await expect(lab.page.locator('#status')).toHaveText('Paused.');
  expect((await lab.losses(0)).length).toBe(1);
});

test('a diverging run is marked, and the other is what it is alone', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 12, validate: 4 });
  await lab.set('runs.1.lr', '1e30');
  await lab.start();
  await lab.finished();
  expect(await lab.readout('Scaled AdamW', 'State')).toMatch(/^diverged at step \d+$/);
  expect(await lab.readout('AdamW', 'State')).toBe('finished');
  const beside = await lab.losses(0);
  expect(beside.every((loss) => loss !== null)).toBe(true);
  await lab.page.getByRole('button', { name: 'Remove Scaled AdamW' }).click();
  await lab.start();
  await lab.finished();
  expect(await lab.losses(0)).toEqual(beside);
});

test('samples of the base and of each run, before and after', async ({ lab }) => {
  await lab.prepare({ steps: 10 });
  await expect(lab.field('prompt').locator('textarea')).toHaveValue('house : red');
  await lab.set('max_tokens', '12');
  await lab.start();
  await lab.finished();
  const groups = lab.page.locator('.sample-group');
  await expect(groups).toHaveCount(2);
  await expect(groups.first().locator('h3')).toHaveText('After step 10');
  await expect(groups.first().locator('h4')).toHaveText(['Base', 'AdamW', 'Scaled AdamW']);
  await expect(groups.last().locator('h3')).toHaveText('Before training');
  // With lora_b at 0 every run is the base.
  const before = await groups.last().locator('.answer-text').allInnerTexts();
  expect(new Set(before).size).toBe(1);
  expect(before[0]?.length).toBeGreaterThan(0);
  await lab.page.locator('#write').click();
  await expect(groups).toHaveCount(3);
});
