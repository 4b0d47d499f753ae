const listeners = new Set<() => void>();

/** Calls `listener` whenever colours change: canvases do not repaint by themselves. */
export function themeChanged(listener: () => void): void {
  listeners.add(listener);
}

/** Tells everybody. */
export function tellThemeChanged(): void {
  for (const listener of listeners) listener();
}
