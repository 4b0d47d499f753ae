/** A flat folder of files that stay: as much of the browser's private file system as the page needs. */
export interface Folder {
  names(): Promise<string[]>;
  /** Null where there is no such file. */
  read(name: string): Promise<Blob | null>;
  write(name: string, content: Blob): Promise<void>;
  remove(name: string): Promise<void>;
  /** Whether so many bytes more seem to fit; only writing tells for sure. */
  hasRoom(bytes: number): Promise<boolean>;
  /** Does `work` while no other tab does any here. */
  alone<Value>(work: () => Promise<Value>): Promise<Value>;
}

/** The folder of this name in the browser's private file system; null in browsers that have none. */
export async function openFolder(name: string): Promise<Folder | null> {
  // Older browsers have the file system without a way to write to it from a page.
  if (!('createWritable' in (globalThis.FileSystemFileHandle?.prototype ?? {}))) return null;
  try {
    const root = await navigator.storage.getDirectory();
    return folderOf(name, await root.getDirectoryHandle(name, { create: true }));
  } catch {
    // Private windows may refuse.
    return null;
  }
}

function folderOf(name: string, handle: FileSystemDirectoryHandle): Folder {
  return {
    async names() {
      const names: string[] = [];
      for await (const key of handle.keys()) names.push(key);
      return names;
    },
    async read(file) {
      try {
        return await (await handle.getFileHandle(file)).getFile();
      } catch (thrown) {
        if (thrown instanceof DOMException && thrown.name === 'NotFoundError') return null;
        throw thrown;
      }
    },
    async write(file, content) {
      const target = await handle.getFileHandle(file, { create: true });
      const writable = await target.createWritable();
      try {
        await writable.write(content);
        await writable.close();
      } catch (thrown) {
        await writable.abort().catch(() => {});
        throw thrown;
      }
    },
    async remove(file) {
      await handle.removeEntry(file).catch(() => {});
    },
    async hasRoom(bytes) {
      const { quota, usage } = await navigator.storage.estimate();
      return quota === undefined || usage === undefined || quota - usage > bytes;
    },
    alone: (work) =>
      navigator.locks === undefined ? work() : navigator.locks.request(`riemann-lora.${name}`, work),
  };
}
