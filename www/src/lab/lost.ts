import type { EngineName } from '../engine/engine-module';
import type { Failure } from '../protocol';

// What browsers, drivers and libraries call it, and what it means to a user; the first that fits.
const causes: readonly (readonly [RegExp, Record<EngineName, string>])[] = [
  [
    /device (was|is) lost|device lost|parent device|devicelost/i,
    both('The WebGPU device was lost: the browser, a driver or sleep took the GPU away.'),
  ],
  [
    /out of memory|memory access out of bounds|allocation failed/i,
    { cpu: 'A worker ran out of memory.', webgpu: 'The GPU, or its worker, ran out of memory.' },
  ],
  [
    /wgpu|validation error|shader|server is still registered|unreachable|recursive use|runtimeerror|panicked/i,
    {
      cpu: 'The engine stopped at a fault of its own. Please report it, with what the browser’s console says.',
      // Most often the GPU is gone, and nobody has said so yet.
      webgpu: 'WebGPU stopped: it refused what it was asked to compute, or the GPU is gone.',
    },
  ],
];

function both(words: string): Record<EngineName, string> {
  return { cpu: words, webgpu: words };
}

/** Why a worker was lost, in words for a user. The raw ones go to the console, for who reports them. */
export function lostWords(failure: Failure, engine: EngineName): Failure {
  const found = causes.find(([pattern]) => pattern.test(failure.message));
  if (found === undefined) return failure;
  const message = found[1][engine];
  // biome-ignore lint/suspicious/noConsole: nobody else would ever see them.
  if (message !== failure.message) console.warn(failure.message);
  return { ...failure, message };
}
