import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { CDPSession } from '@playwright/test';
import { expect, test } from '../e2e/lab-test';

/** The default model, a user's file, two runs, and what it costs; scripts/bench-first-run says how it is called. */
const data = process.env.FIRST_RUN_DATA ?? '';
const output = process.env.FIRST_RUN_OUTPUT ?? '';
const STEPS = 30;

/** The most memory that the tab's process ever had, in bytes. */
async function peakBytes(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const peaks = processInfo
    .filter((process) => process.type === 'renderer')
    .map((process) => {
      const status = readFileSync(`/proc/${process.id}/status`, 'utf8');
      return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    });
  return Math.max(...peaks);
}

test('first run', async ({ lab, browser }) => {
  const { page } = lab;
  const session = await browser.newBrowserCDPSession();
  await page.getByRole('button', { name: /^Load SmolLM2/ }).click();
  await expect(page.locator('#model .facts')).toContainText('llama', { timeout: 300_000 });
  await lab.loadText(readFileSync(data, 'utf8'), basename(data));
  await expect(page.locator('#data .facts')).toContainText(basename(data), { timeout: 60_000 });
  await lab.set('steps', String(STEPS));
  await lab.set('max_tokens', '24');
  await lab.start();

  // Clicks while it trains: from the event to the end of the frame that shows its effect.
  await lab.reaches(2);
  await page.evaluate(() => {
    const latencies: number[] = [];
    Object.assign(window, { latencies });
    document.addEventListener(
      'click',
      (event) =>
        requestAnimationFrame(() => setTimeout(() => latencies.push(performance.now() - event.timeStamp))),
      true,
    );
  });
  const began = { time: Date.now(), step: (await lab.losses(0)).length };
  for (let click = 0; click < 20; click += 1) {
    await page.getByLabel('Log axis').click();
    await page.waitForTimeout(500);
  }
  const latencies = await page.evaluate(() => (window as unknown as { latencies: number[] }).latencies);
  expect(latencies.length).toBe(20);
  latencies.sort((one, other) => one - other);

  // Before step 10 comes a validation, which is not part of a step.
  await lab.reaches(9);
  const seconds = (Date.now() - began.time) / 1000 / ((await lab.losses(0)).length - began.step);
  await expect(page.locator('#status')).toHaveText('Finished.', { timeout: 3_000_000 });
  await expect(page.getByRole('button', { name: 'Stop writing' })).toBeHidden({ timeout: 600_000 });
  const screenshots = process.env.RIEMANN_LORA_SCREENSHOTS;
  if (screenshots !== undefined) {
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.screenshot({ path: `${screenshots}/first-run-${scheme}.png`, fullPage: true });
    }
  }
  const losses = [await lab.losses(0), await lab.losses(1)];
  writeFileSync(
    output,
    JSON.stringify({
      losses,
      figures: {
        adamw_first_loss: losses[0]?.[0],
        adamw_last_loss: losses[0]?.at(-1),
        scaled_adamw_first_loss: losses[1]?.[0],
        scaled_adamw_last_loss: losses[1]?.at(-1),
        seconds_per_step_two_runs: seconds,
        peak_tab_bytes: await peakBytes(session),
        click_latency_ms: latencies[Math.floor(latencies.length / 2)],
        click_latency_ms_worst: latencies.at(-1),
      },
    }),
  );
});
