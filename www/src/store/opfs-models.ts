import * as v from 'valibot';
import { type GrowingFile, MemoryFile, SegmentedFile } from './growing-file';

/** A file of a model that is elsewhere. */
export interface RemoteFile {
  name: string;
  url: string;
  /** Null where the server does not tell. */
  bytes: number | null;
  /** Null where it is not known. */
  sha256: string | null;
  /** What git calls it, of a file of the hub that is not in its large storage. */
  git?: string | undefined;
}

/** What is known of a model while it is downloaded, and kept beside its files. */
export interface ModelRecord {
  id: string;
  title: string;
  /** The server it came from; null is the page's own. */
  host: string | null;
  licence: string | null;
  files: RemoteFile[];
}

/** A model of the browser's own file system. */
export interface KeptModel extends ModelRecord {
  /** Bytes that are there. */
  kept: number;
  /** Whether all of it is there, and was checked. */
  complete: boolean;
}

/** Where the files of one model are put. */
export interface ModelFolder {
  file(name: string): Promise<GrowingFile>;
  /** All is there, and was checked. */
  finish(): Promise<void>;
}

/** Name of the folder in which models from elsewhere are kept. */
export const MODEL_FOLDER = 'riemann-lora-models';

const RECORD = 'record.json';
const FILES = 'files';

const storedRecord = v.object({
  id: v.string(),
  title: v.string(),
  host: v.nullable(v.string()),
  licence: v.nullable(v.string()),
  files: v.array(
    v.object({
      name: v.string(),
      url: v.string(),
      bytes: v.nullable(v.number()),
      sha256: v.nullable(v.string()),
      git: v.optional(v.string()),
    }),
  ),
  complete: v.boolean(),
});

type StoredRecord = v.InferOutput<typeof storedRecord>;

// Where no file system can be written to, a broken download can go on for as long as the page is open.
const inMemory = new Map<string, Map<string, GrowingFile>>();

/** The models that are kept, also those that are not complete. */
export async function listModels(): Promise<KeptModel[]> {
  const root = await modelsFolder(false);
  if (root === null) return [];
  const found: KeptModel[] = [];
  for await (const handle of root.values()) {
    if (handle.kind !== 'directory') continue;
    const folder = handle as FileSystemDirectoryHandle;
    const record = await readRecord(folder);
    if (record !== null) found.push({ ...record, kept: await folderSize(folder) });
  }
  return found.sort((one, other) => one.title.localeCompare(other.title));
}

/** Bytes of all that is kept. */
export async function modelsSize(): Promise<number> {
  const root = await modelsFolder(false);
  return root === null ? 0 : folderSize(root);
}

/** Frees what a model takes. */
export async function removeModel(id: string): Promise<void> {
  inMemory.delete(id);
  const root = await modelsFolder(false);
  try {
    await root?.removeEntry(folderName(id), { recursive: true });
  } catch {
    // It is gone already.
  }
}

async function keptFiles(model: KeptModel): Promise<File[]> {
  const root = await modelsFolder(false);
  const folder = await root?.getDirectoryHandle(folderName(model.id));
  if (folder === undefined) return [];
  return Promise.all(model.files.map(async ({ name }) => (await segmented(folder, name)).file()));
}

/** Whether this browser has files of its own for pages that can be written. */
export function keepsFiles(): boolean {
  return 'createWritable' in (globalThis.FileSystemFileHandle?.prototype ?? {});
}

/** The files of this model where all of it is there; else null. */
export async function completeFiles(record: ModelRecord): Promise<File[] | null> {
  const found = (await listModels()).find(({ id }) => id === record.id);
  return found?.complete && sameFiles(found, record) ? keptFiles(found) : null;
}

/** Where to put a model for as long as the page is open. */
export function memoryFolder(id: string): ModelFolder {
  const files = inMemory.get(id) ?? new Map<string, GrowingFile>();
  inMemory.set(id, files);
  return {
    file: async (name) => {
      const file = files.get(name) ?? new MemoryFile(name);
      files.set(name, file);
      return file;
    },
    // Whoever loads the model holds its files from now on.
    finish: async () => {
      inMemory.delete(id);
    },
  };
}

/** Where to put a model; what is there of other versions of its files is freed. */
export async function openModelFolder(record: ModelRecord): Promise<ModelFolder> {
  const root = await modelsFolder(true);
  if (root === null) return memoryFolder(record.id);
  const name = folderName(record.id);
  const before = await root.getDirectoryHandle(name).then(readRecord, () => null);
  if (before !== null && !sameFiles(before, record)) await root.removeEntry(name, { recursive: true });
  const folder = await root.getDirectoryHandle(name, { create: true });
  await writeRecord(folder, { ...record, complete: false });
  return {
    file: (file) => segmented(folder, file),
    finish: () => writeRecord(folder, { ...record, complete: true }),
  };
}

/** The folder of all models; null where this browser has none that a page can write to. */
async function modelsFolder(create: boolean): Promise<FileSystemDirectoryHandle | null> {
  try {
    if (!keepsFiles()) return null;
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(MODEL_FOLDER, { create });
  } catch {
    return null;
  }
}

async function segmented(folder: FileSystemDirectoryHandle, name: string): Promise<SegmentedFile> {
  const files = await folder.getDirectoryHandle(FILES, { create: true });
  return new SegmentedFile(await files.getDirectoryHandle(name, { create: true }), name);
}

// An id has slashes, and names of files may not.
function folderName(id: string): string {
  return encodeURIComponent(id);
}

function sameFiles(one: ModelRecord, other: ModelRecord): boolean {
  const marks = ({ files }: ModelRecord) =>
    JSON.stringify(files.map(({ name, bytes, sha256, git }) => [name, bytes, sha256, git]));
  return marks(one) === marks(other);
}

async function readRecord(folder: FileSystemDirectoryHandle): Promise<StoredRecord | null> {
  try {
    const file = await (await folder.getFileHandle(RECORD)).getFile();
    const record: unknown = JSON.parse(await file.text());
    return v.is(storedRecord, record) ? record : null;
  } catch {
    return null;
  }
}

async function writeRecord(folder: FileSystemDirectoryHandle, record: StoredRecord): Promise<void> {
  const handle = await folder.getFileHandle(RECORD, { create: true });
  const stream = await handle.createWritable();
  await stream.write(JSON.stringify(record));
  await stream.close();
}

async function folderSize(folder: FileSystemDirectoryHandle): Promise<number> {
  let bytes = 0;
  for await (const handle of folder.values()) {
    bytes +=
      handle.kind === 'directory'
        ? await folderSize(handle as FileSystemDirectoryHandle)
        : (await (handle as FileSystemFileHandle).getFile()).size;
  }
  return bytes;
}
