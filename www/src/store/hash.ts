import { createSHA1, createSHA256 } from 'hash-wasm';

/** By what a file is known: its SHA-256; or as git knows it, by the SHA-1 of its kind, its length and itself. */
export type HashKind = 'sha256' | 'git';

/** A hash, as hex, of a file of any size: the browser's own takes it only whole. */
export async function hashPieces(
  file: Blob,
  kind: HashKind,
  onBytes: (done: number) => void,
): Promise<string> {
  const hash = await (kind === 'git' ? createSHA1() : createSHA256());
  if (kind === 'git') hash.update(`blob ${file.size}\0`);
  let done = 0;
  const reader = file.stream().getReader();
  for (;;) {
    const piece = await reader.read();
    if (piece.done) return hash.digest('hex');
    hash.update(piece.value);
    done += piece.value.byteLength;
    onBytes(done);
  }
}
