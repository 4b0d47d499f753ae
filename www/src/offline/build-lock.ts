/** Name of the lock that every page of this build holds as long as it is open. */
export function lockOf(revision: string): string {
  return `riemann-lora-build ${revision}`;
}
