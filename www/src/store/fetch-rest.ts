import { failed, type Result, success, wordsOf } from '../result';
import { bytes } from '../words/numbers';
import { refusal, unreachable } from './answers';
import { isFull } from './full';
import type { GrowingFile } from './growing-file';
import type { RemoteFile } from './opfs-models';

/** What a download needs beside the file. */
export interface DownloadOptions {
  /** Cancels. */
  signal: AbortSignal;
  /** How much of the file is there. */
  onBytes(done: number): void;
  /** It broke off, and is tried again soon. */
  onBreak?(words: string): void;
  /** There is no more room: where it goes on; without this it ends. */
  onFull?(kept: GrowingFile): GrowingFile;
  fetcher?: typeof fetch;
  /** Between two attempts. */
  wait?(milliseconds: number): Promise<void>;
}

// As often as this it is tried again without a byte having come.
const MOST_FAILURES = 3;
const FIRST_WAIT_MS = 1000;

/** How one request ended: well, by breaking off, without having reached anyone, or for good. */
type Attempt = { end: 'done' } | { end: 'broken' | 'unreached' | 'refused' | 'full'; words: string };

/** Downloads what is missing of a file, again and again where the connection breaks. */
export async function fetchRest(
  remote: RemoteFile,
  target: GrowingFile,
  options: DownloadOptions,
): Promise<Result<File>> {
  const { signal, onBreak = () => {}, onFull, wait = pause } = options;
  let kept = target;
  let begun = false;
  let failures = 0;
  for (;;) {
    const before = await kept.size();
    if (signal.aborted) return cancelled(before);
    if (before === remote.bytes) return success(await kept.file());
    if (remote.bytes !== null && before > remote.bytes) {
      await kept.clear();
      continue;
    }
    const attempt = await attemptFrom(before, remote, kept, options);
    if (attempt.end === 'done' && remote.bytes === null) return success(await kept.file());
    const there = await kept.size();
    if (signal.aborted) return cancelled(there);
    if (attempt.end === 'full' && onFull !== undefined) {
      kept = onFull(kept);
      continue;
    }
    const words = attempt.end === 'done' ? 'the server sent less than it promised' : attempt.words;
    // Who cannot be reached at all will not be a second later; who was there before may be.
    const forGood = attempt.end === 'refused' || attempt.end === 'full';
    if (forGood || (attempt.end === 'unreached' && !begun)) return failed('model', words);
    if (there > before) {
      begun = true;
      failures = 0;
    } else failures += 1;
    if (failures > MOST_FAILURES) return failed('model', brokeOff(remote.name, there, words));
    if (there === remote.bytes) continue;
    onBreak(words);
    await wait(FIRST_WAIT_MS * 2 ** failures);
  }
}

/** What to do where the browser has no more room for a file. */
export function noMoreRoom(name: string): string {
  return (
    `The browser has no more room for ${name}. Free some under Storage at the end of the page; ` +
    'or download the files yourself and drop them here.'
  );
}

function brokeOff(name: string, there: number, words: string): string {
  if (there === 0) return `The download of ${name} does not begin (${words}). Try again later.`;
  return `The download of ${name} broke off at ${bytes(there)} (${words}). What came is kept: ask for it again to go on from there.`;
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
    return { end: 'unreached', words: unreachable(host, thrown) };
  }
  // There is no such range: what is there is of another file.
  if (response.status === 416) {
    await kept.clear();
    return { end: 'broken', words: 'the file has changed' };
  }
  if (response.status >= 500) return { end: 'broken', words: `the server answered ${response.status}` };
  const message = refusal(response, remote.name, host);
  if (message !== '') return { end: 'refused', words: message };
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
    await appender.close().catch(() => {});
    if (!isFull(thrown)) return { end: 'broken', words: wordsOf(thrown) };
    return { end: 'full', words: noMoreRoom(remote.name) };
  }
}

function cancelled(there: number) {
  const rest = there > 0 ? ` ${bytes(there)} are kept: ask for it again to go on from there.` : '';
  return failed('model', `The download was cancelled.${rest}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
