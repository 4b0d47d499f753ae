import { unreachable } from './answers';

/** As much of a file as its first entries take, of which the architecture is one. */
const HEAD_BYTES = 4096;

/** What the beginning of a file says. */
export type GgufHead =
  /** Its `general.architecture`; null where that comes later than what was read. */
  { kind: 'gguf'; architecture: string | null } | { kind: 'other' } | { kind: 'unknown' };

/** Reads the beginning of a file that calls itself GGUF, and no more of it; `unknown` where the server does not answer. */
export async function fetchGgufHead(
  url: string,
  signal: AbortSignal,
  fetcher: typeof fetch = fetch,
): Promise<GgufHead> {
  const enough = new AbortController();
  const stop = AbortSignal.any([signal, enough.signal]);
  try {
    const response = await fetcher(url, { headers: { Range: `bytes=0-${HEAD_BYTES - 1}` }, signal: stop });
    if (!response.ok || response.body === null) return { kind: 'unknown' };
    return readGgufHead(await firstBytes(response.body, HEAD_BYTES));
  } catch (thrown) {
    if (signal.aborted) throw new Error(unreachable(new URL(url).host, thrown));
    return { kind: 'unknown' };
  } finally {
    // A server without ranges would go on to send the whole file.
    enough.abort();
  }
}

async function firstBytes(body: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(most);
  let count = 0;
  const reader = body.getReader();
  while (count < most) {
    const { value, done } = await reader.read();
    if (done) break;
    const part = value.subarray(0, most - count);
    bytes.set(part, count);
    count += part.byteLength;
  }
  await reader.cancel().catch(() => {});
  return bytes.subarray(0, count);
}

const STRING = 8;
// By their number in the format (ggml-org/ggml, docs/gguf.md); arrays, 9, have no size of their own.
const SIZES: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

/** The architecture that the first entries of a GGUF file name, if these bytes are of one. */
export function readGgufHead(bytes: Uint8Array): GgufHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (new TextDecoder().decode(bytes.subarray(0, 4)) !== 'GGUF') return { kind: 'other' };
  let at = 24;
  const text = (): string | null => {
    if (at + 8 > bytes.byteLength) return null;
    const length = Number(view.getBigUint64(at, true));
    if (at + 8 + length > bytes.byteLength) return null;
    const found = new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
    return found;
  };
  const later: GgufHead = { kind: 'gguf', architecture: null };
  for (;;) {
    const key = text();
    if (key === null || at + 4 > bytes.byteLength) return later;
    const type = view.getUint32(at, true);
    at += 4;
    if (type === STRING) {
      const value = text();
      if (value === null) return later;
      if (key === 'general.architecture') return { kind: 'gguf', architecture: value };
      continue;
    }
    const size = SIZES[type];
    if (size === undefined) return later;
    at += size;
  }
}
