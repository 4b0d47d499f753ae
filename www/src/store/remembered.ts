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
