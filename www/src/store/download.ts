import type { Progress } from '../protocol';
import { type Result, success } from '../result';
import type { CatalogModel } from './catalog';
import { areRight } from './check-file';
import type { DownloadOptions } from './fetch-rest';
import { keepsFiles, listModels, type ModelRecord } from './opfs-models';
import { type Fetched, fetchRemoteModel } from './remote-model';

/** Where browsers without files for pages keep models of the site; earlier versions of the page kept all there. */
export const CACHE = 'riemann-lora-models-1';

/** A file that this site serves, at a path under models/. */
export interface SiteFile {
  path: string;
  bytes: number;
  sha256: string;
}

const origins = new WeakMap<File, CatalogModel>();

/** The model of the site that this file is; undefined for the user's own files. */
export function catalogModelOf(file: File): CatalogModel | undefined {
  return origins.get(file);
}

/** Bytes of this model that are here, and whether that is all of it. */
export async function keptOf(model: CatalogModel): Promise<{ kept: number; complete: boolean }> {
  const record = recordOf(model);
  if ((await fromCache(record)) !== null) return { kept: model.bytes, complete: true };
  const { kept = 0, complete = false } = (await listModels()).find(({ id }) => id === record.id) ?? {};
  return { kept, complete };
}

/** The model's file: kept from before, or downloaded from where it broke off, checked and kept. Aborting `signal` cancels. */
export async function fetchModel(
  model: CatalogModel,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  options: Partial<DownloadOptions> = {},
): Promise<Result<Fetched>> {
  const fetched = await fetchFromSite(recordOf(model), onProgress, signal, options);
  if (fetched.ok) for (const file of fetched.value.files) origins.set(file, model);
  return fetched;
}

/** What is kept of files of the site that belong together. */
export function siteRecord(title: string, licence: string, files: readonly SiteFile[]): ModelRecord {
  const hashes = files.map(({ sha256 }) => sha256).join(' ');
  return {
    id: `site/${title}/${hashes.slice(0, 16)}`,
    title,
    host: null,
    licence,
    files: files.map(({ path, bytes, sha256 }) => {
      // The hash is in the address: another version of the file is another entry of the cache.
      const url = new URL(
        `models/${path}?sha256=${sha256}`,
        globalThis.document?.baseURI ?? 'http://localhost/',
      );
      return { name: path.split('/').at(-1) ?? path, url: url.href, bytes, sha256 };
    }),
  };
}

/** Files of the site: kept from before, or downloaded from where they broke off, checked and kept. */
export async function fetchFromSite(
  record: ModelRecord,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  options: Partial<DownloadOptions> = {},
): Promise<Result<Fetched>> {
  const cached = await fromCache(record);
  if (cached !== null && (await areRight(record.files, cached, onProgress)))
    return success({ files: cached, note: '' });
  const fetched = await fetchRemoteModel(record, onProgress, signal, options);
  if (fetched.ok && !keepsFiles()) await intoCache(record, fetched.value.files);
  return fetched;
}

function recordOf({ name, licence, file, bytes, sha256 }: CatalogModel): ModelRecord {
  return siteRecord(name, licence, [{ path: file, bytes, sha256 }]);
}

async function fromCache({ files }: ModelRecord): Promise<File[] | null> {
  const cache = await openCache();
  const found: File[] = [];
  for (const { url, name } of files) {
    const kept = await cache?.match(url);
    if (kept === undefined) return null;
    found.push(new File([await kept.blob()], name));
  }
  return found;
}

async function intoCache({ files }: ModelRecord, contents: readonly File[]): Promise<void> {
  const cache = await openCache();
  try {
    for (const [index, { url }] of files.entries()) await cache?.put(url, new Response(contents[index]));
  } catch {
    // There is no room: it is here for this visit, and the next one downloads it again.
    for (const { url } of files) await cache?.delete(url);
  }
}

/** Only secure origins have caches, and private windows may refuse. */
async function openCache(): Promise<Cache | undefined> {
  try {
    return await globalThis.caches?.open(CACHE);
  } catch {
    return undefined;
  }
}
