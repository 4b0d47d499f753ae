import { failed, type Result, success, wordsOf } from '../result';
import { bytes } from '../ui/words';
import { refusal, unreachable } from './answers';
import type { GrowingFile } from './growing-file';
import type { RemoteFile } from './opfs-models';

/** What a download needs beside the file. */
export interface DownloadOptions {
  /** Cancels. */
  signal: AbortSignal;
  /** How much of the file is there. */
  onBytes(done: number): void;
  fetcher?: typeof fetch;
  /** Between two attempts. */
  wait?(milliseconds: number): Promise<void>;
}

// As often as this it is tried again without a byte having come.
const MOST_FAILURES = 3;
const FIRST_WAIT_MS = 1000;

/** How one request ended: with the end of the file, by breaking off, or for good. */
type Attempt = { end: 'done' } | { end: 'broken'; words: string } | { end: 'refused'; message: string };

/** Downloads what is missing of a file, again and again where the connection breaks. */
export async function fetchRest(
  remote: RemoteFile,
  kept: GrowingFile,
  options: DownloadOptions,
): Promise<Result<File>> {
  const { signal, wait = pause } = options;
  let failures = 0;
  let words = '';
  while (failures <= MOST_FAILURES) {
    if (signal.aborted) return cancelled(await kept.size());
    const before = await kept.size();
    if (remote.bytes !== null && before > remote.bytes) {
      await kept.clear();
      continue;
    }
    if (before === remote.bytes) return success(await kept.file());
    const attempt = await attemptFrom(before, remote, kept, options);
    if (attempt.end === 'done' && remote.bytes === null) return success(await kept.file());
    if (signal.aborted) return cancelled(await kept.size());
    if (attempt.end === 'refused') return failed('model', attempt.message);
    if ((await kept.size()) > before) failures = 0;
    else failures += 1;
    if (attempt.end === 'broken') {
      words = attempt.words;
      await wait(FIRST_WAIT_MS * 2 ** failures);
    } else words = 'the server sent less than it promised';
  }
  const there = await kept.size();
  const how =
    there > 0
      ? `broke off at ${bytes(there)} (${words}). What came is kept: ask for it again to go on from there.`
      : `does not begin. ${words}`;
  return failed('model', `The download of ${remote.name} ${how}`);
}

async function attemptFrom(
  offset: number,
  remote: RemoteFile,
  kept: GrowingFile,
  { signal, onBytes, fetcher = fetch }: DownloadOptions,
): Promise<Attempt> {
  const { host } = new URL(remote.url);
  let response: Response;
  try {
    const headers: HeadersInit = offset > 0 ? { Range: `bytes=${offset}-` } : {};
    response = await fetcher(remote.url, { headers, signal });
  } catch (thrown) {
    return { end: 'broken', words: unreachable(host, thrown) };
  }
  // There is no such range: what is there is of another file.
  if (response.status === 416) {
    await kept.clear();
    return { end: 'broken', words: 'the file has changed' };
  }
  if (response.status >= 500) return { end: 'broken', words: `the server answered ${response.status}` };
  const message = refusal(response, remote.name, host);
  if (message !== '') return { end: 'refused', message };
  // A server without ranges sends the whole file.
  if (offset > 0 && response.status !== 206) await kept.clear();
  let done = response.status === 206 ? offset : 0;
  const appender = await kept.append();
  try {
    const reader = response.body?.getReader();
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) break;
      await appender.write(piece.value as Uint8Array<ArrayBuffer>);
      done += piece.value.byteLength;
      onBytes(done);
    }
    await appender.close();
    return { end: 'done' };
  } catch (thrown) {
    const full = thrown instanceof Error && thrown.name === 'QuotaExceededError';
    await appender.close().catch(() => {});
    if (!full) return { end: 'broken', words: wordsOf(thrown) };
    const advice =
      'Remove kept models or other data of this site; or download the files yourself and drop them here.';
    return { end: 'refused', message: `The browser has no more room for ${remote.name}. ${advice}` };
  }
}

function cancelled(there: number) {
  const rest = there > 0 ? ` ${bytes(there)} are kept: ask for it again to go on from there.` : '';
  return failed('model', `The download was cancelled.${rest}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
