import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expectClean } from './clean';
import { expect } from './lab-test';

/** Where pictures of the page go. */
export const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

/** Windows of a laptop and of a phone. */
export const sizes = [
  { width: 1280, height: 800 },
  { width: 360, height: 740 },
] as const;
/** Both themes. */
export const schemes = ['light', 'dark'] as const;
/** Words that do not fit: cut off by their own box, or sticking out of the window where nothing scrolls. */
export async function clipped(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scrolls = (element: Element) => {
      for (let at = element.parentElement; at !== null; at = at.parentElement) {
        if (['auto', 'scroll'].includes(getComputedStyle(at).overflowX)) return true;
      }
      return false;
    };
    const found: string[] = [];
    for (const element of document.querySelectorAll<HTMLElement>('body *')) {
      const style = getComputedStyle(element);
      const words = element instanceof HTMLInputElement ? element.value : element.textContent?.trim();
      if (!words || !element.checkVisibility() || element.closest('.unseen, .skip') !== null) continue;
      const cuts = ['hidden', 'clip'].includes(style.overflowX) || element instanceof HTMLButtonElement;
      const { left, right, width } = element.getBoundingClientRect();
      const own = width > 1 && cuts && element.scrollWidth > element.clientWidth + 1;
      const outside = (left < -1 || right > innerWidth + 1) && !scrolls(element);
      if (own || outside)
        found.push(`<${element.localName} class="${element.className}"> ${words.slice(0, 60)}`);
    }
    return found;
  });
}

/** A picture in every size and theme, each without overflow, without cut words, and clean for axe. */
export async function everywhere(page: Page, name: string, selectors: readonly string[] = []): Promise<void> {
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const where = `${name}, ${size.width} px, ${colorScheme}`;
      // Charts follow the window a frame or two later.
      const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      await expect.poll(overflow, where).toBe(0);
      await expect.poll(() => clipped(page), where).toEqual([]);
      // Each size and each theme once is enough, and takes half the time.
      if ((colorScheme === 'light') === size.width > 1000) await expectClean(page, where);
      const path = (part: string) => join(shots, `screen-${part}-${colorScheme}-${size.width}.png`);
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: path(name), fullPage: selectors.length === 0 && size.width > 1000 });
      for (const selector of selectors) {
        await page.locator(selector).screenshot({ path: path(`${name}-${selector.replace(/\W+/g, '')}`) });
      }
    }
  }
}
