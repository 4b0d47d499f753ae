import * as Comlink from 'comlink';
import { hashPieces } from './hash';
import type { HashApi } from './hash-worker';

/** SHA-256, as hex, of a file of any size, in a worker of its own: gigabytes would hold up the page. */
export async function hashFile(file: Blob, onBytes: (done: number) => void): Promise<string> {
  if (globalThis.Worker === undefined) return hashPieces(file, onBytes);
  const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { type: 'module' });
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', ({ message }) =>
      reject(new Error(message || 'its script could not be loaded')),
    );
  });
  try {
    return await Promise.race([Comlink.wrap<HashApi>(worker)(file, Comlink.proxy(onBytes)), failed]);
  } finally {
    worker.terminate();
  }
}
