import type { Progress } from '../protocol';
import { failed, type Result, success, wordsOf } from '../result';
import { bytes } from '../words/numbers';
import { type DownloadOptions, fetchRest, noMoreRoom } from './fetch-rest';
import { isFull } from './full';
import { hashFile } from './hash-file';
import type { ModelChoice, RemoteModel } from './hub';
import { type ModelFolder, type ModelRecord, openModelFolder, type RemoteFile } from './opfs-models';

/** What is kept of a model that is downloaded. */
export function recordOf({ title, host, licence }: RemoteModel, { label, files }: ModelChoice): ModelRecord {
  const name = title === label ? title : `${title} · ${label}`;
  return { id: `${host}/${title}/${label}`, title: name, host, licence, files };
}

/** Downloads what is missing of a model, checks it and keeps it. */
export async function fetchRemoteModel(
  record: ModelRecord,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  options: Partial<DownloadOptions> = {},
): Promise<Result<File[]>> {
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
): Promise<Result<File[]>> {
  const folder = await openModelFolder(record);
  const full = await noRoom(record, folder);
  if (full !== '') return failed('model', full);
  const total = record.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  const files: File[] = [];
  let before = 0;
  for (const remote of record.files) {
    const onBytes = (done: number) =>
      onProgress({ action: `Downloading ${remote.name}`, done: before + done, total });
    const there = await (await folder.file(remote.name)).size();
    onBytes(there);
    const onBreak = () =>
      onProgress({ action: 'The connection broke, trying again', done: before + there, total });
    const file = await fetchChecked(remote, folder, { ...options, onBytes, onBreak, signal }, onProgress);
    if (!file.ok) return file;
    before += file.value.size;
    files.push(file.value);
  }
  await folder.finish();
  return success(files);
}

async function fetchChecked(
  remote: RemoteFile,
  folder: ModelFolder,
  options: DownloadOptions,
  onProgress: (progress: Progress) => void,
): Promise<Result<File>> {
  const kept = await folder.file(remote.name);
  const file = await fetchRest(remote, kept, options);
  if (!file.ok || remote.sha256 === null) return file;
  const found = await hashFile(file.value, (done) =>
    onProgress({ action: `Checking ${remote.name}`, done, total: file.value.size }),
  );
  if (found === remote.sha256) return file;
  await kept.clear();
  return failed(
    'model',
    `${remote.name} is not the file that ${new URL(remote.url).host} promised (its SHA-256 differs), so it was not kept. Ask for it again.`,
  );
}

/** Two tabs that wrote to one file would spoil it. */
async function alone(
  { id, title }: ModelRecord,
  work: () => Promise<Result<File[]>>,
): Promise<Result<File[]>> {
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return work();
  return locks.request(`riemann-lora.model.${id}`, { ifAvailable: true }, (lock) =>
    lock === null
      ? failed('model', `Another tab is downloading ${title}. Wait for it, or cancel it there.`)
      : work(),
  );
}

/** Why there is no room for what is missing; empty where there is. */
async function noRoom({ files, title }: ModelRecord, folder: ModelFolder): Promise<string> {
  const { quota, usage } = (await globalThis.navigator?.storage?.estimate?.().catch(() => undefined)) ?? {};
  if (quota === undefined || usage === undefined) return '';
  let missing = 0;
  for (const { name, bytes: size } of files) {
    missing += Math.max(0, (size ?? 0) - (await (await folder.file(name)).size()));
  }
  if (missing <= quota - usage) return '';
  return (
    `${title} needs ${bytes(missing)}, and the browser has ${bytes(Math.max(0, quota - usage))} left for this site. ` +
    'Free some under Storage at the end of the page, or download the files yourself and drop them here.'
  );
}
