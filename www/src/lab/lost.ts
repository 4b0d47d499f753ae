import type { Failure } from '../protocol';

// What browsers, drivers and libraries call it, and what it means to a user; the first that fits.
const causes: readonly (readonly [RegExp, string])[] = [
  [
    /device (was|is) lost|device lost|parent device|devicelost/i,
    'The WebGPU device was lost: the browser, a driver or sleep took the GPU away.',
  ],
  [/out of memory|memory access out of bounds|allocation failed/i, 'A worker ran out of memory.'],
  [
    /wgpu|validation error|shader|server is still registered/i,
    'WebGPU stopped: it refused what it was asked to compute.',
  ],
  [
    /unreachable|recursive use|runtimeerror|panicked/i,
    'The engine stopped at a fault of its own. Please report it, with what the browser’s console says.',
  ],
];

/** Why a worker was lost, in words for a user. The raw ones go to the console, for who reports them. */
export function lostWords(failure: Failure): Failure {
  const found = causes.find(([pattern]) => pattern.test(failure.message));
  if (found === undefined) return failure;
  const [, message] = found;
  // biome-ignore lint/suspicious/noConsole: nobody else would ever see them.
  if (message !== failure.message) console.warn(failure.message);
  return { ...failure, message };
}
