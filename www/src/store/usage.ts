import type { Result } from '../result';
import { Signal } from '../signal';
import { CACHE as MODELS } from './download';
import { listModels, MODEL_FOLDER, removeModel } from './opfs-models';
import { forgetRemembered } from './remembered';

/** Counts what was freed: who shows what is kept looks again. */
export const freed = new Signal<number>(0);

/** Something of this page that the browser keeps. */
export interface StoredThing {
  name: string;
  bytes: number;
  free(): Promise<void>;
}

/** Something kept that the page has open: it must let go of what is freed. */
export interface OpenBook {
  size(): Promise<number>;
  empty(): Promise<Result<null>>;
}

/** A folder of the browser's private file system that the page has open. */
export interface OpenFolder {
  folder: string;
  discardAll(): Promise<Result<null>>;
}

/** What of the page is open while its storage is looked at, by the names that the user reads. */
export interface Owners {
  folders: Readonly<Record<string, OpenFolder>>;
  books: Readonly<Record<string, OpenBook>>;
}

/** What the browser lets the page keep. */
export interface Room {
  used: number;
  quota: number;
  /** Whether the browser promised not to clear it by itself. */
  persistent: boolean;
}

/** How names of the caches begin that hold the page itself. */
export const PAGE_CACHE = 'riemann-lora-page';

// Other pages of the same origin have files and settings too.
const OWN = 'riemann-lora';

/** Everything of this page that the browser keeps. Places that it refuses to open hold nothing. */
export async function storedThings({ folders, books }: Owners): Promise<StoredThing[]> {
  const places = [
    inCaches(),
    inFolders(folders),
    fromElsewhere(),
    inBooks(books),
    Promise.resolve(inLocalStorage()),
  ];
  const found = await Promise.allSettled(places);
  return found.flatMap((place) => (place.status === 'fulfilled' ? place.value : []));
}

/** Null in browsers that do not tell. */
export async function storageRoom(): Promise<Room | null> {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    if (usage === undefined || quota === undefined) return null;
    return { used: usage, quota, persistent: await navigator.storage.persisted() };
  } catch {
    return null;
  }
}

async function inCaches(): Promise<StoredThing[]> {
  const names = (await caches.keys()).filter((name) => name.startsWith(OWN));
  const models = names.includes(MODELS) ? await modelsIn(await caches.open(MODELS)) : [];
  const page = names.filter((name) => name.startsWith(PAGE_CACHE));
  const sizes = await Promise.all(page.map(async (name) => sizeOfCache(await caches.open(name))));
  const bytes = sum(sizes);
  const free = async () => {
    const registration = await navigator.serviceWorker?.getRegistration();
    await registration?.unregister();
    for (const name of page) await caches.delete(name);
  };
  return bytes === 0 ? models : [...models, { name: 'This page, for use without a network', bytes, free }];
}

async function modelsIn(cache: Cache): Promise<StoredThing[]> {
  const requests = await cache.keys();
  return Promise.all(
    requests.map(async (request) => ({
      name: `Model ${decodeURIComponent(new URL(request.url).pathname.split('/models/').at(-1) ?? '')}`,
      bytes: (await (await cache.match(request))?.blob())?.size ?? 0,
      free: async () => {
        await cache.delete(request);
      },
    })),
  );
}

async function sizeOfCache(cache: Cache): Promise<number> {
  const answers = await cache.matchAll();
  return sum(await Promise.all(answers.map(async (answer) => (await answer.blob()).size)));
}

async function inFolders(open: Owners['folders']): Promise<StoredThing[]> {
  const root = await navigator.storage.getDirectory();
  const things: StoredThing[] = [];
  for await (const [name, handle] of root.entries()) {
    if (!name.startsWith(OWN) || name === MODEL_FOLDER) continue;
    const bytes = await sizeOfHandle(handle);
    if (bytes === 0) continue;
    const [title, owner] = Object.entries(open).find(([, { folder }]) => folder === name) ?? [];
    const free = () =>
      owner === undefined ? root.removeEntry(name, { recursive: true }) : orThrow(owner.discardAll());
    things.push({ name: title ?? name, bytes, free });
  }
  return things;
}

async function fromElsewhere(): Promise<StoredThing[]> {
  const models = await listModels();
  return models.map(({ id, title, kept }) => ({
    name: `Model ${title}`,
    bytes: kept,
    free: () => removeModel(id),
  }));
}

async function sizeOfHandle(handle: FileSystemHandle): Promise<number> {
  if (isFileHandle(handle)) {
    // A file that is just being replaced is not there for a moment.
    const file = await handle.getFile().catch(() => null);
    return file?.size ?? 0;
  }
  if (!isFolderHandle(handle)) return 0;
  let bytes = 0;
  for await (const inner of handle.values()) bytes += await sizeOfHandle(inner);
  return bytes;
}

function isFileHandle(handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === 'file';
}

function isFolderHandle(handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === 'directory';
}

async function inBooks(books: Owners['books']): Promise<StoredThing[]> {
  const things = Object.entries(books).map(async ([name, book]) => {
    return { name, bytes: await book.size(), free: () => orThrow(book.empty()) };
  });
  const found = await Promise.allSettled(things);
  return found.flatMap((place) => (place.status === 'fulfilled' && place.value.bytes > 0 ? place.value : []));
}

async function orThrow(freeing: Promise<Result<null>>): Promise<void> {
  const answer = await freeing;
  if (!answer.ok) throw new Error(answer.failure.message);
}

function inLocalStorage(): StoredThing[] {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(OWN));
  const size = (text: string) => new Blob([text]).size;
  const bytes = sum(keys.map((key) => size(key) + size(localStorage.getItem(key) ?? '')));
  const free = async () => forgetRemembered(OWN);
  return bytes === 0 ? [] : [{ name: 'Settings and choices', bytes, free }];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
