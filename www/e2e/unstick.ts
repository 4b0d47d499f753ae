import type { Page } from '@playwright/test';

/**
 * Takes the bar that sticks to the top back into the page, for pictures of all of it. By a sheet that the page makes
 * itself: its policy lets no style element in.
 */
export async function unstick(page: Page): Promise<void> {
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('.transport { position: static !important; }');
    document.adoptedStyleSheets.push(sheet);
  });
}

/** Lets it stick again. */
export async function stick(page: Page): Promise<void> {
  await page.evaluate(() => document.adoptedStyleSheets.pop());
}
