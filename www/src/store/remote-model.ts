import type { Progress } from '../protocol';
import { failed, type Result, success, wordsOf } from '../result';
import { bytes } from '../words/numbers';
import { areRight, whatDiffers } from './check-file';
import { type DownloadOptions, fetchRest, noMoreRoom } from './fetch-rest';
import { isFull } from './full';
import { type GrowingFile, ToppedFile } from './growing-file';
import type { ModelChoice, RemoteModel } from './hub';
import {
  completeFiles,
  type ModelFolder,
  type ModelRecord,
  memoryFolder,
  openModelFolder,
  type RemoteFile,
  removeModel,
} from './opfs-models';

// What a wasm module can hold at most; less would be refused although it works.
const MOST_IN_MEMORY = 2 ** 32;

/** What is kept of a model that is downloaded. */
export function recordOf({ title, host, licence }: RemoteModel, { label, files }: ModelChoice): ModelRecord {
  const name = title === label ? title : `${title} · ${label}`;
  return { id: `${host}/${title}/${label}`, title: name, host, licence, files };
}

/** A model that is here. */
export interface Fetched {
  files: File[];
  /** Why it will not be here at the next visit, and what to do; empty where it will. */
  note: string;
}

/** The files of a model: kept from before, or what is missing of them is downloaded, checked and kept. */
export async function fetchRemoteModel(
  record: ModelRecord,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  options: Partial<DownloadOptions> = {},
): Promise<Result<Fetched>> {
  const kept = await completeFiles(record);
  if (kept !== null) {
    if (await areRight(record.files, kept, onProgress)) return success({ files: kept, note: '' });
    // What the browser kept has changed since it was checked: all of it is downloaded again.
    await removeModel(record.id);
  }
  return alone(record, async () => {
    try {
      return await fetchFiles(record, onProgress, signal, options);
    } catch (thrown) {
      // Every touch of the browser's files may be refused.
      if (isFull(thrown)) return failed('model', noMoreRoom(record.title));
      const words = `${record.title} cannot be kept (${wordsOf(thrown)}).`;
      return failed('model', `${words} Download the files yourself and drop them here.`);
    }
  });
}

async function fetchFiles(
  record: ModelRecord,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  options: Partial<DownloadOptions>,
): Promise<Result<Fetched>> {
  const folder = await openModelFolder(record).catch((thrown: unknown) => {
    if (isFull(thrown)) return null;
    throw thrown;
  });
  const target = folder ?? memoryFolder(record.id);
  const missing = await missingOf(record, target);
  const left = await roomLeft();
  const total = record.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  if (missing > left && total > MOST_IN_MEMORY) return failed('model', noRoom(record.title, missing, left));
  let isWhole = folder !== null && missing <= left;
  const inMemory = (file: GrowingFile, name: string) => {
    isWhole = false;
    return new ToppedFile(file, name);
  };
  const files: File[] = [];
  let before = 0;
  for (const remote of record.files) {
    const kept = await target.file(remote.name);
    const there = await kept.size();
    const onBytes = (done: number) =>
      onProgress({ action: `Downloading ${remote.name}`, done: before + done, total });
    onBytes(there);
    const onBreak = () =>
      onProgress({ action: 'The connection broke, trying again', done: before + there, total });
    const onFull = (file: GrowingFile) => inMemory(file, remote.name);
    const file = await fetchChecked(
      remote,
      isWhole || folder === null ? kept : inMemory(kept, remote.name),
      { ...options, onBytes, onBreak, onFull, signal },
      onProgress,
    );
    if (!file.ok) return file;
    before += file.value.size;
    files.push(file.value);
  }
  if (isWhole || folder === null) await target.finish();
  return success({ files, note: isWhole ? '' : unkept(record.title) });
}

async function fetchChecked(
  remote: RemoteFile,
  kept: GrowingFile,
  options: DownloadOptions,
  onProgress: (progress: Progress) => void,
): Promise<Result<File>> {
  const file = await fetchRest(remote, kept, options);
  if (!file.ok) return file;
  const differs = await whatDiffers(remote, file.value, onProgress);
  if (differs === '') return file;
  await kept.clear();
  return failed(
    'model',
    `${remote.name} is not the file that ${new URL(remote.url).host} promised (${differs}), so it was not kept. Ask for it again.`,
  );
}

/** Two tabs that wrote to one file would spoil it. */
async function alone(
  { id, title }: ModelRecord,
  work: () => Promise<Result<Fetched>>,
): Promise<Result<Fetched>> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return work();
  return locks.request(`riemann-lora.model.${id}`, { ifAvailable: true }, (lock) =>
    lock === null
      ? failed('model', `Another tab is downloading ${title}. Wait for it, or cancel it there.`)
      : work(),
  );
}

async function missingOf({ files }: ModelRecord, folder: ModelFolder): Promise<number> {
  let missing = 0;
  for (const { name, bytes: size } of files) {
    missing += Math.max(0, (size ?? 0) - (await (await folder.file(name)).size()));
  }
  return missing;
}

/** Bytes that the browser still has for this site, as far as it tells. */
async function roomLeft(): Promise<number> {
  const { quota, usage } = (await globalThis.navigator?.storage?.estimate?.().catch(() => undefined)) ?? {};
  return quota === undefined || usage === undefined ? Number.POSITIVE_INFINITY : Math.max(0, quota - usage);
}

/** What is too large for memory too. */
function noRoom(title: string, missing: number, left: number): string {
  return (
    `${title} needs ${bytes(missing)}, and the browser has ${bytes(left)} left for this site. ` +
    'Free some under Storage at the end of the page, or download the files yourself and drop them here.'
  );
}

function unkept(title: string): string {
  return (
    `${title} is here, but the browser has no room to keep it: the next visit downloads it again. ` +
    'Free some under Storage at the end of the page to keep it.'
  );
}
