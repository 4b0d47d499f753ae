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
  const alone = await lab.losses(0);
  expect(alone).toHaveLength(beside.length);
  // Alone its steps are shared by all cores, which adds gradients up in another order.
  for (const [step, loss] of alone.entries())
    expect(Math.abs((loss ?? Number.NaN) - (beside[step] ?? Number.NaN))).toBeLessThan(1e-5);
});

test('samples of the base and of each run, before and after', async ({ lab }) => {
  await lab.prepare({ steps: 10, lr: '5e-2' });
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
  // The base stays what it is, and training changed what the runs write: each its own way.
  const [base, ...runs] = await groups.first().locator('.answer-text').allInnerTexts();
  expect(base).toBe(before[0]);
  expect(runs).toHaveLength(2);
  for (const run of runs) expect(run).not.toBe(base);
  // The same seed writes the same once more, from the adapters of now.
  await lab.page.locator('#write').click();
  await expect(groups).toHaveCount(3);
  await expect(lab.page.locator('#write')).toBeEnabled();
  expect(await groups.first().locator('.answer-text').allInnerTexts()).toEqual([base, ...runs]);
});

test('LoRA+, AltLoRA, Muon and LoRA-Muon train through the editor, and their diagnostics are charted and listed', async ({
  lab,
}) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 2, validate: 0 });
  const methods = ['LoRA+', 'AltLoRA', 'Muon', 'LoRA-Muon'];
  for (const [index, method] of methods.entries()) {
    await page.locator('#add-run').click();
    const run = page.locator('.run').nth(2 + index);
    const optimizer = run.getByLabel('Optimizer');
    // A field that has the focus is the user’s own; a new run begins with its name.
    await optimizer.focus();
    await optimizer.selectOption({ label: method });
    await expect(lab.field(`runs.${2 + index}.name`).locator('input')).toHaveValue(method);
  }
  // Fields are there where they matter.
  await page.locator('.run').nth(4).getByText('More', { exact: true }).click();
  await expect(lab.field('runs.4.momentum').locator('input')).toHaveValue('0.95');
  await expect(lab.field('runs.4.betas')).toBeHidden();
  await expect(lab.field('runs.4.damping')).toBeHidden();
  await page.locator('.run').nth(3).getByText('More', { exact: true }).click();
  await expect(lab.field('runs.3.trains').locator('select')).toHaveValue('alternating');
  await expect(lab.field('runs.3.scale_aware').locator('input')).toBeChecked();
  await expect(lab.field('runs.3.order')).toBeHidden();
  await expect(lab.field('runs.3.momentum')).toBeVisible();

  await lab.start();
  await lab.finished();
  for (const method of methods) {
    await expect(page.locator(`[data-run="${method}"] [data-column="State"]`)).toHaveText('finished');
  }
  const chart = page.locator('#diagnostics');
  await expect(chart.locator('.u-wrap')).toBeVisible();
  await expect(chart.locator('.empty')).toBeHidden();
  await chart.getByText('Numbers', { exact: true }).click();
  const cells = (step: number) =>
    chart.locator('tbody tr', { has: page.getByRole('rowheader', { name: String(step) }) }).locator('td');
  // The two runs of the beginning, and one a method.
  await expect(cells(2)).toHaveCount(2 + methods.length);
  await chart.getByLabel('Show', { exact: true }).selectOption({ label: 'Norm of lora_b' });
  await expect(chart.getByRole('region', { name: 'Norm of lora_b' })).toBeVisible();
  // Measured before the step's update, and lora_b starts at 0.
  await expect(cells(1)).toHaveText(Array.from({ length: 2 + methods.length }, () => '0'));
  for (const text of await cells(2).allInnerTexts()) expect(Number(text)).toBeGreaterThan(0);
  await expect(
    chart.getByRole('img', { name: /^Norm of lora_b over steps\. .*Muon: from 0 to/ }),
  ).toBeVisible();
  for (const label of [
    'Norm of ΔW',
    'Condition number of BᵀB + δI',
    'Update-to-weight ratio',
    'Learning rate',
  ]) {
    await chart.getByLabel('Show', { exact: true }).selectOption({ label });
    await expect(chart.getByRole('region', { name: label })).toBeVisible();
    for (const text of await cells(2).allInnerTexts()) expect(Number(text)).toBeGreaterThan(0);
  }
  // A learning rate has a plain axis, unless the user wants another; the choice is kept.
  await expect(chart.getByLabel('Logarithmic axis')).not.toBeChecked();
  await page.reload();
  await expect(chart.getByLabel('Show', { exact: true })).toHaveValue('lr');
});

test('without diagnostics a training says that they were not measured', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 2, validate: 0 });
  await lab.field('diagnostics').locator('input').uncheck();
  await lab.start();
  await lab.finished();
  const chart = page.locator('#diagnostics');
  await expect(chart.locator('.empty')).toBeHidden();
  await chart.getByLabel('Show', { exact: true }).selectOption({ label: 'Norm of lora_a' });
  await expect(chart.locator('.empty')).toContainText('Not measured in this training');
});

test('a preset’s warm-up follows the steps, and the preset stays what it is', async ({ lab }) => {
  const run = lab.page.locator('.run').nth(1);
  const preset = run.getByLabel('Preset');
  await preset.selectOption({ label: 'Paper' });
  await run.getByText('More', { exact: true }).click();
  await expect(lab.field('runs.1.warmup_steps').locator('input')).toHaveValue('1');
  await lab.set('steps', '');
  await lab.set('steps', '2629');
  await expect(lab.field('runs.1.warmup_steps').locator('input')).toHaveValue('50');
  await expect(preset.locator('option:checked')).toHaveText('Paper');
  await lab.set('runs.1.warmup_steps', '7');
  await expect(preset.locator('option:checked')).toHaveText('Own');
  await lab.set('steps', '60');
  await expect(lab.field('runs.1.warmup_steps').locator('input')).toHaveValue('7');
});

test('charts are drawn again by what they show, and not by other fields', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 5 });
  await lab.start();
  await lab.finished();
  await page.evaluate(() => {
    const { clearRect } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.clearRect = function (...place) {
      const titles = document.querySelectorAll('#train figure');
      const figure = [...titles].find((one) => one.contains(this.canvas));
      const drawn = Reflect.get(window, 'drawn') as string[];
      if (figure !== undefined) drawn.push(figure.querySelector('h3')?.textContent ?? 'Diagnostics');
      clearRect.apply(this, place);
    };
  });
  /** The charts that were drawn since, once nothing is left to be drawn. */
  const drawnBy = async (act: () => Promise<void>) => {
    await page.evaluate(() => Object.assign(window, { drawn: [] }));
    await act();
    return page.evaluate(async () => {
      for (let frame = 0; frame < 5; frame += 1) await new Promise(requestAnimationFrame);
      return [...new Set(Reflect.get(window, 'drawn') as string[])].sort();
    });
  };
  const all = ['Diagnostics', 'Training loss', 'Validation loss'];
  const typing = async () => {
    await lab.field('prompt').locator('textarea').pressSequentially(' and');
    await lab.field('rank').locator('input').pressSequentially('1');
    await lab.field('runs.0.lr').locator('input').pressSequentially('1');
  };
  expect(await drawnBy(typing)).toEqual([]);
  expect(await drawnBy(() => page.getByLabel('Smoothing', { exact: true }).fill('0.2'))).toEqual(
    all.slice(0, 2),
  );
  expect(await drawnBy(() => page.emulateMedia({ colorScheme: 'dark' }))).toEqual(all);
});

test('a wrong hyper-parameter opens the place where it is', async ({ lab }) => {
  await lab.page.evaluate(() => {
    const key = 'riemann-lora.config';
    const config = JSON.parse(localStorage.getItem(key) ?? '{"version":1}');
    config.runs = [{ name: 'SGD', optimizer: { rule: 'sgd', momentum: 2, betas: [5, 0.9] } }];
    localStorage.setItem(key, JSON.stringify(config));
  });
  await lab.page.reload();
  await expect(lab.field('runs.0.momentum').locator('.problem')).toContainText('must be');
  // Hidden for SGD, but the engine would refuse it.
  await expect(lab.field('runs.0.betas').locator('.problem')).toContainText('must be');
  await expect(lab.field('runs.0.betas')).toBeVisible();
});
