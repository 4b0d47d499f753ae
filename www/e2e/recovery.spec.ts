import { expect, test } from './lab-test';

test('a worker that dies is replaced, and the curve is the one it would have been', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 60, validate: 0 });
  await lab.set('checkpoint_every', '5');
  await lab.start();
  await lab.finished();
  const undisturbed = [await lab.losses(0), await lab.losses(1)];
  await lab.button('step').click();
  await expect(lab.page.locator('#status')).toHaveText('Paused.');
  for (let step = 2; step <= 8; step += 1) {
    await lab.button('step').click();
    await lab.reaches(step);
    await expect(lab.page.locator('#status')).toHaveText('Paused.');
  }
  await lab.crashWorker(0);
  await lab.button('pause').click();
  await lab.finished();
  await expect(lab.page.locator('#train .message.warn:visible')).toContainText('from step 5');
  expect([await lab.losses(0), await lab.losses(1)]).toEqual(undisturbed);
});

test('a worker that keeps dying ends the training with a reason', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 5000, validate: 0 });
  await lab.start();
  await lab.reaches(2);
  await lab.page.evaluate(() => window.testHooks?.crashAlways());
  await expect(lab.page.locator('#train .message.bad:visible')).toContainText('ended by a test');
  await expect(lab.page.locator('#status')).toHaveText('Training ended early; see below.');
  await expect(lab.button('start')).toBeEnabled();
});
