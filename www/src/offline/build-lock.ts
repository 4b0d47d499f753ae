/** How a build calls itself in its page, and how the lock of its pages begins. */
export function buildMark(revision: string): string {
  return `riemann-lora-build ${revision}`;
}

/** Name of the lock that every page of this build at this address holds as long as it is open; as `register.ts` has it. */
export function lockOf(revision: string, address: string): string {
  return `${buildMark(revision)} ${new URL(address).pathname}`;
}
