import { expect, test } from './lab-test';

test('nothing moves while the page is made, and no view is fetched before it is visited', async ({
  page,
  origin,
}) => {
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
  await page.addInitScript(() => {
    const moved: number[] = [];
    Object.assign(window, { moved });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) moved.push(Reflect.get(entry, 'value') as number);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  for (const width of [1280, 412, 360]) {
    await page.setViewportSize({ width, height: 850 });
    await page.goto(origin);
    await expect(page.locator('#footer')).toBeVisible();
    await expect(page.locator('#engine-badge')).toHaveText('CPU');
    await expect(page.locator('#train-now')).toBeEnabled();
    const moved = await page.evaluate(() => Reflect.get(window, 'moved') as number[]);
    // Below 0.1 is called good; a section that jumps makes more.
    expect(moved.reduce((sum, one) => sum + one, 0)).toBeLessThan(0.02);
  }
  const views = () => fetched.filter((path) => /(claims|sweep|runs|images|theory)-view/.test(path));
  expect(views()).toEqual([]);
  // Nor does it hide in what is fetched.
  const assets = [...new Set(fetched)].filter((path) => /\.(js|css)$/.test(path));
  expect(assets.length).toBeGreaterThan(2);
  const texts = await Promise.all(assets.map(async (path) => (await page.request.get(origin + path)).text()));
  for (const mark of [
    'claim-verdict',
    'sweep-losses',
    'compare-table',
    'cell-caption',
    'theory-assumption',
  ]) {
    expect(texts.filter((text) => text.includes(mark))).toEqual([]);
  }
  await page.getByRole('link', { name: 'Sweep', exact: true }).click();
  await expect(page.locator('#sweep-results')).toBeVisible();
  const kinds = views().map((path) => path.replace(/^.*\/(\w+-view).*\.(\w+)$/, '$1.$2'));
  expect(kinds.sort()).toEqual(['sweep-view.css', 'sweep-view.js']);
});

test('a view whose code cannot be had says so in its place, and the page goes on', async ({
  page,
  origin,
}) => {
  await page.goto(`${origin}/?test-hooks`);
  await page.waitForFunction(() => window.testHooks !== undefined);
  await page.route('**/theory-view*.js', (route) => route.abort('internetdisconnected'));
  await page.getByRole('link', { name: 'Theory', exact: true }).click();
  await expect(page.locator('#theory-view .message.bad')).toContainText('Theory could not be loaded');
  await expect(page.locator('#theory-view .message.bad')).toContainText('Reload the page');
  await page.getByRole('link', { name: 'Language', exact: true }).click();
  await expect(page.locator('#start')).toBeVisible();
  await page.unroute('**/theory-view*.js');
  await page.reload();
  await page.getByRole('link', { name: 'Theory', exact: true }).click();
  await expect(page.locator('#theory-curves')).toBeVisible();
});
