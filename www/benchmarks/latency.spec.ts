import { expect, test } from '../e2e/lab-test';

const CLICKS = 20;
const LIMIT_MS = 50;

interface Timed {
  /** From the event's own time to the page's handler. */
  handled: number[];
  /** … to the end of the first frame that shows its effect. */
  painted: number[];
}

test('the page answers clicks within 50 ms while it trains', async ({ lab }) => {
  await lab.withoutSamples();
  await lab.prepare({ steps: 100_000, validate: 50 });
  await lab.start();
  await lab.reaches(5);
  await lab.page.evaluate(() => {
    const timed: Timed = { handled: [], painted: [] };
    Object.assign(window, { timed });
    document.addEventListener(
      'click',
      (event) => {
        timed.handled.push(performance.now() - event.timeStamp);
        requestAnimationFrame(() =>
          setTimeout(() => timed.painted.push(performance.now() - event.timeStamp)),
        );
      },
      true,
    );
  });
  // Both charts are drawn anew for this one.
  const log = lab.page.getByLabel('Log axis');
  for (let click = 0; click < CLICKS; click += 1) {
    await log.click();
    await lab.page.waitForTimeout(60);
  }
  const { handled, painted } = await lab.page.evaluate(() => (window as unknown as { timed: Timed }).timed);
  expect(painted.length).toBe(CLICKS);
  const words = `handled ${spread(handled)}, painted ${spread(painted)}`;
  test.info().annotations.push({ type: 'click_latency_ms', description: words });
  process.stdout.write(`click latency: ${words}\n`);
  // Single frames may wait for whatever else the machine does; a page that blocks fails both of these.
  expect(quantile(handled, 0.9)).toBeLessThan(LIMIT_MS);
  expect(quantile(painted, 0.5)).toBeLessThan(LIMIT_MS);
  await lab.button('stop').click();
});

function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.POSITIVE_INFINITY;
}

function spread(values: number[]): string {
  return `median ${quantile(values, 0.5).toFixed(1)} ms, worst ${quantile(values, 1).toFixed(1)} ms`;
}
