/** Whether the browser refused to keep something because its storage for this site is full. */
export function isFull(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'QuotaExceededError';
}
