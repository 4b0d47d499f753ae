/**
 * Keeps a text for the next visit, and for this tab: what another tab keeps under the same key is for the visits that
 * begin later, and takes nothing from this one.
 */
export function remember(key: string, text: string): void {
  for (const storage of storages()) {
    try {
      storage.setItem(key, text);
    } catch {
      // Storage may be full: nothing the user could do about it here.
    }
  }
}

// Long enough for the next key, and too short for anyone to notice.
const REST_MS = 300;

/** What waits to be kept, by key. */
const waiting = new Map<string, () => string>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Keeps what `write` answers once nothing has changed for a moment, or before the page is left. */
export function rememberSoon(key: string, write: () => string): void {
  waiting.set(key, write);
  clearTimeout(timer);
  timer = setTimeout(rememberNow, REST_MS);
}

/** Keeps all that waits: pages that are hidden may never be asked again. */
export function rememberNow(): void {
  clearTimeout(timer);
  const all = [...waiting];
  waiting.clear();
  for (const [key, write] of all) remember(key, write());
}

globalThis.addEventListener?.('pagehide', rememberNow);
globalThis.document?.addEventListener('visibilitychange', () => document.hidden && rememberNow());

/** What this tab has kept under the key, else what any tab has kept last; null where there is nothing. */
export function recall(key: string): string | null {
  for (const storage of storages()) {
    const found = storage.getItem(key);
    if (found !== null) return found;
  }
  return null;
}

/** Forgets what begins so, here and for the next visit. */
export function forgetRemembered(beginning: string): void {
  for (const key of waiting.keys()) if (key.startsWith(beginning)) waiting.delete(key);
  for (const storage of storages()) {
    for (const key of Object.keys(storage)) if (key.startsWith(beginning)) storage.removeItem(key);
  }
}

/** This tab's first. Storage may be forbidden; then every visit is the first. */
function storages(): Storage[] {
  try {
    return [globalThis.sessionStorage, globalThis.localStorage].filter((storage) => storage !== undefined);
  } catch {
    return [];
  }
}
