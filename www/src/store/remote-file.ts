import type { AsyncBuffer } from 'hyparquet';
import { refusal, unreachable } from './answers';
import type { ParquetAddress } from './hub-data';

// As often as this a piece is asked for.
const MOST_ATTEMPTS = 3;
const FIRST_WAIT_MS = 500;

/** A file on a server, of which only what is read is downloaded. `onBytes` is told how much came with each piece. */
export function remoteFile(
  { url, bytes }: ParquetAddress,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
  fetcher: typeof fetch = fetch,
): AsyncBuffer {
  const { host, pathname } = new URL(url);
  const attempt = async (start: number, end: number): Promise<ArrayBuffer> => {
    let response: Response;
    try {
      response = await fetcher(url, { headers: { Range: `bytes=${start}-${end - 1}` }, signal });
    } catch (thrown) {
      throw new Error(unreachable(host, thrown));
    }
    const message = refusal(response, pathname, host);
    if (message !== '') throw new Error(message);
    const piece = await response.arrayBuffer();
    onBytes(piece.byteLength);
    // A server without ranges sends the whole file.
    const asked = response.status === 206 ? piece : piece.slice(start, end);
    if (asked.byteLength < end - start) throw new Error(`${host} sent less than it promised`);
    return asked;
  };
  return {
    byteLength: bytes,
    async slice(start, end = bytes) {
      for (let failures = 1; ; failures += 1) {
        try {
          return await attempt(start, end);
        } catch (thrown) {
          if (signal.aborted || failures >= MOST_ATTEMPTS) throw thrown;
          await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** failures));
        }
      }
    },
  };
}
