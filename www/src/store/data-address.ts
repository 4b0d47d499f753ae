import type { Progress } from '../protocol';
import { failed, type Result, success, wordsOf } from '../result';
import { bytes } from '../words/numbers';
import { refusal, unreachable } from './answers';
import { lastName } from './model-address';

/** Most bytes of data that are fetched; what trains in a tab is far less. */
export const MOST_DATA_BYTES = 200e6;

/** Text at an address. */
export interface FetchedData {
  blob: Blob;
  name: string;
}

/** Reads the address of a data file; pages that show a file are turned into the file itself. */
export function parseDataAddress(text: string): Result<URL> {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return failed(
      'data',
      `“${text.trim()}” is no address. Write one that begins with https:// and ends in a file’s name.`,
    );
  }
  if (url.protocol !== 'https:') return failed('data', 'An address has to begin with https://.');
  const [owner, repository, what, ...path] = url.pathname.split('/').filter(Boolean);
  if (url.hostname === 'github.com' && what === 'blob') {
    return success(new URL(`https://raw.githubusercontent.com/${owner}/${repository}/${path.join('/')}`));
  }
  if (url.hostname === 'huggingface.co') url.pathname = url.pathname.replace('/blob/', '/resolve/');
  return success(url);
}

/** Fetches a file of text. */
export async function fetchData(
  url: URL,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  fetcher: typeof fetch = fetch,
): Promise<Result<FetchedData>> {
  const { host } = url;
  const name = lastName(url) || host;
  let response: Response;
  try {
    response = await fetcher(url.href, { signal });
  } catch (thrown) {
    return failed('data', signal.aborted ? 'The download was cancelled.' : unreachable(host, thrown));
  }
  const message = refusal(response, name, host);
  if (message !== '') return failed('data', message);
  const length = Number(response.headers.get('content-length') ?? 0);
  const packed = response.headers.has('content-encoding');
  const total = Number.isFinite(length) && !packed ? length : 0;
  const tooMuch = `${name} has more than ${bytes(MOST_DATA_BYTES)}. Download it, cut it, and drop the part that you need.`;
  if (total > MOST_DATA_BYTES) return failed('data', tooMuch);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  try {
    const reader = response.body?.getReader();
    for (;;) {
      onProgress({ action: `Downloading ${name}`, done, total: Math.max(done, total) });
      const piece = await reader?.read();
      if (piece === undefined || piece.done) break;
      pieces.push(piece.value as Uint8Array<ArrayBuffer>);
      done += piece.value.byteLength;
      if (done > MOST_DATA_BYTES) {
        await reader?.cancel();
        return failed('data', tooMuch);
      }
    }
  } catch (thrown) {
    if (signal.aborted) return failed('data', 'The download was cancelled.');
    return failed('data', brokeOff(name, done, wordsOf(thrown)));
  }
  if (total > 0 && done < total) return failed('data', brokeOff(name, done, `${bytes(total)} were promised`));
  const blob = new Blob(pieces);
  if (/^\s*<(!doctype html|html)/i.test(await blob.slice(0, 200).text())) {
    return failed(
      'data',
      `${host} answered with a web page in place of ${name}. Give the address of the file itself, often behind “raw” or “download”.`,
    );
  }
  return success({ blob, name });
}

function brokeOff(name: string, done: number, words: string): string {
  return `The download of ${name} broke off after ${bytes(done)} (${words}). Try again; or download it yourself and drop it here.`;
}
