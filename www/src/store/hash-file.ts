import * as Comlink from 'comlink';
import { askOnce } from './ask-once';
import { type HashKind, hashPieces } from './hash';
import type { HashApi } from './hash-worker';

/** A hash, as hex, of a file of any size, in a worker of its own: gigabytes would hold up the page. */
export async function hashFile(file: Blob, kind: HashKind, onBytes: (done: number) => void): Promise<string> {
  if (globalThis.Worker === undefined) return hashPieces(file, kind, onBytes);
  const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { type: 'module' });
  return askOnce<HashApi, string>(worker, (hash) => hash(file, kind, Comlink.proxy(onBytes)));
}
