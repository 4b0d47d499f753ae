import type { Readable } from '../signal';

/** Has the browser ask before a page is left whose changes are still on their way to the shelf. */
export function askBeforeLeaving(underWay: Readable<number>): void {
  globalThis.addEventListener?.('beforeunload', (event) => {
    if (underWay.value > 0) event.preventDefault();
  });
}
