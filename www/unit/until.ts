import { vi } from 'vitest';

/** Waits until something holds; looks between all tasks, because fakes are fast. */
export function until(holds: () => boolean): Promise<boolean> {
  return vi.waitUntil(holds, { timeout: 4000, interval: 1 });
}
