import type { Progress } from '../protocol';
import { failed, type Result, success, wordsOf } from '../result';
import type { CatalogModel } from './catalog';
import { sha256 } from './digest';
import { noMoreRoom } from './fetch-rest';
import { isFull } from './full';

/** Where models of the site are kept. */
export const CACHE = 'riemann-lora-models-1';

const origins = new WeakMap<File, CatalogModel>();

/** The model of the site that this file is; undefined for the user's own files. */
export function catalogModelOf(file: File): CatalogModel | undefined {
  return origins.get(file);
}

/** Whether this model is kept from an earlier visit. */
export async function isKept(model: CatalogModel): Promise<boolean> {
  const cache = await openCache();
  return (await cache?.match(addressOf(model))) !== undefined;
}

/** The model's file: kept from before, or downloaded, checked and kept. Aborting `signal` cancels. */
export async function fetchModel(
  model: CatalogModel,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<File>> {
  const cache = await openCache();
  const kept = await cache?.match(addressOf(model));
  if (kept !== undefined) return success(fileOf(model, await kept.blob()));
  try {
    const response = await fetch(addressOf(model), { signal });
    if (!response.ok || response.body === null) {
      return failed('model', `${model.file} cannot be downloaded: the server answered ${response.status}.`);
    }
    const blob = await store(cache, model, response, onProgress);
    onProgress({ action: 'Checking', done: blob.size, total: model.bytes });
    const wrong = await whatIsWrong(blob, model);
    if (wrong !== '') {
      await cache?.delete(addressOf(model));
      return failed('model', `${model.file} ${wrong} Load it again.`);
    }
    return success(fileOf(model, blob));
  } catch (thrown) {
    if (signal.aborted) return failed('model', 'The download was cancelled. Nothing was kept.');
    if (isFull(thrown)) return failed('model', noMoreRoom(model.file));
    return failed(
      'model',
      `The download broke off (${wordsOf(thrown)}). Check the connection and try again.`,
    );
  }
}

function fileOf(model: CatalogModel, blob: Blob): File {
  const file = new File([blob], model.file);
  origins.set(file, model);
  return file;
}

/** Frees what is kept. */
export async function forgetModel(model: CatalogModel): Promise<void> {
  const cache = await openCache();
  await cache?.delete(addressOf(model));
}

// The hash is in the address: another version of the file is another entry.
function addressOf(model: CatalogModel): string {
  return `models/${model.file}?sha256=${model.sha256}`;
}

/** Only secure origins have caches, and private windows may refuse. */
async function openCache(): Promise<Cache | undefined> {
  try {
    return await globalThis.caches?.open(CACHE);
  } catch {
    return undefined;
  }
}

/** Streams the answer to disk; where there is no room, into memory. */
async function store(
  cache: Cache | undefined,
  model: CatalogModel,
  response: Response,
  onProgress: (progress: Progress) => void,
): Promise<Blob> {
  let done = 0;
  const counted = response.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        done += chunk.byteLength;
        onProgress({ action: 'Downloading', done, total: model.bytes });
        controller.enqueue(chunk);
      },
    }),
  );
  const countedResponse = new Response(counted ?? null);
  if (cache === undefined || !(await hasRoom(model.bytes))) return countedResponse.blob();
  await cache.put(addressOf(model), countedResponse);
  const kept = await cache.match(addressOf(model));
  if (kept === undefined) throw new Error('the browser did not keep the file');
  return kept.blob();
}

async function hasRoom(bytes: number): Promise<boolean> {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  return quota === undefined || usage === undefined || quota - usage > bytes * 1.1;
}

async function whatIsWrong(blob: Blob, model: CatalogModel): Promise<string> {
  if (blob.size !== model.bytes) return `has ${blob.size} bytes instead of ${model.bytes}.`;
  // Insecure origins cannot hash; the loader still checks every header it reads.
  if (globalThis.crypto?.subtle === undefined) return '';
  const hex = await sha256(await blob.arrayBuffer());
  return hex === model.sha256 ? '' : 'is not the file that this page expects (its SHA-256 differs).';
}
