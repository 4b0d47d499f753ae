import { createSHA256 } from 'hash-wasm';

/** SHA-256, as hex, of a file of any size: the browser's own takes it only whole. */
export async function hashPieces(file: Blob, onBytes: (done: number) => void): Promise<string> {
  const hash = await createSHA256();
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
