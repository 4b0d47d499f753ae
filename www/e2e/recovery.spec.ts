import { expect, type LabPage, pairs, test } from './lab-test';

/** The curves of now have so many steps; what the page shows rests between two drawings. */
async function measures(lab: LabPage, steps: number): Promise<void> {
  await lab.page.waitForFunction((wanted) => (window.testHooks?.losses(0).length ?? 0) >= wanted, steps);
}

test('a worker that dies is replaced, and the curve is the one it would have been', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 200, validate: 0 });
  await lab.set('checkpoint_every', '5');
  await lab.start();
  await lab.finished();
  const undisturbed = [await lab.losses(0), await lab.losses(1)];
  await lab.start();
  await measures(lab, 20);
  await lab.crashWorker(0);
  await lab.finished();
  await expect(lab.page.locator('#train .message.warn:visible')).toContainText(/goes on from step \d+\./);
  expect([await lab.losses(0), await lab.losses(1)]).toEqual(undisturbed);
});

test('a worker that keeps dying ends the training with a reason, and Start trains again', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 20, validate: 0 });
  await lab.start();
  await lab.finished();
  const undisturbed = [await lab.losses(0), await lab.losses(1)];
  await lab.set('steps', '5000');
  await lab.start();
  await measures(lab, 2);
  await lab.page.evaluate(() => window.testHooks?.crashAlways());
  await expect(lab.page.locator('#train .message.bad:visible')).toContainText('ended by a test');
  await expect(lab.page.locator('#status')).toHaveText('Training ended early; see below.');
  await lab.page.evaluate(() => window.testHooks?.crashNoMore());
  await lab.set('steps', '20');
  await expect(lab.button('start')).toBeEnabled();
  await lab.start();
  await lab.finished();
  await expect(lab.page.locator('#train .message.bad:visible')).toHaveCount(0);
  expect([await lab.losses(0), await lab.losses(1)]).toEqual(undisturbed);
});

test('workers that die while nothing is done are replaced without a word of complaint', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 10, validate: 0 });
  await lab.start();
  await lab.finished();
  const undisturbed = [await lab.losses(0), await lab.losses(1)];
  await lab.crashWorker(0);
  await lab.crashWorker(1);
  // What was trained comes back from its checkpoints …
  await lab.field('prompt').locator('textarea').fill('river');
  await lab.page.locator('#write').click();
  await expect(lab.page.locator('.sample-group').first().locator('.answer')).toHaveCount(3);
  await expect(lab.page.getByRole('button', { name: 'Stop writing' })).toBeHidden({ timeout: 30_000 });
  await expect(lab.page.locator('#samples .message.bad:visible')).toHaveCount(0);
  // … and Start finds model and data there.
  await lab.crashWorker(0);
  await lab.start();
  await lab.finished();
  await expect(lab.page.locator('#train .message.bad:visible')).toHaveCount(0);
  expect([await lab.losses(0), await lab.losses(1)]).toEqual(undisturbed);
});

test('another model takes the curves of the training before away, and its adapters can still leave', async ({
  lab,
}) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 10, validate: 0 });
  await lab.start();
  await lab.finished();
  await lab.loadText(pairs(40), 'others.txt');
  await expect(page.locator('#data .facts')).toContainText('others.txt');
  await expect(page.locator('#status')).toHaveText('Ready.');
  await expect(page.locator('#readouts')).toBeHidden();
  await expect(page.locator('#step-count')).toHaveText('0 / 10');
  const saving = page.waitForEvent('download');
  await page
    .getByRole('button', { name: /^PEFT folder of/ })
    .first()
    .click();
  expect((await saving).suggestedFilename()).toMatch(/\.zip$/);
  await lab.start();
  await lab.finished();
});
