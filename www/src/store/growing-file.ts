/** A file that grows while it is downloaded. What was written stays when the download breaks off. */
export interface GrowingFile {
  size(): Promise<number>;
  /** Writes at the end; what was written is there once it is closed. */
  append(): Promise<Appender>;
  clear(): Promise<void>;
  /** What is there, under the name that the loader knows it by. */
  file(): Promise<File>;
}

/** Writes at the end of a growing file. */
export interface Appender {
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
}

/** A growing file in memory, for browsers that keep no files: it lasts as long as the page. */
export class MemoryFile implements GrowingFile {
  private parts: BlobPart[] = [];

  constructor(private readonly name: string) {}

  async size(): Promise<number> {
    return new Blob(this.parts).size;
  }

  async append(): Promise<Appender> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    return {
      write: async (chunk) => {
        pieces.push(chunk);
      },
      // A blob may lie on disk; pieces of a response cannot.
      close: async () => {
        this.parts.push(new Blob(pieces));
      },
    };
  }

  async clear(): Promise<void> {
    this.parts = [];
  }

  async file(): Promise<File> {
    return new File(this.parts, this.name);
  }
}

/** A growing file whose end is in memory, because what is below had no more room. */
export class ToppedFile implements GrowingFile {
  private readonly top: MemoryFile;

  constructor(
    private readonly below: GrowingFile,
    private readonly name: string,
  ) {
    this.top = new MemoryFile(name);
  }

  async size(): Promise<number> {
    return (await this.below.size()) + (await this.top.size());
  }

  append(): Promise<Appender> {
    return this.top.append();
  }

  async clear(): Promise<void> {
    await this.below.clear();
    await this.top.clear();
  }

  async file(): Promise<File> {
    return new File([await this.below.file(), await this.top.file()], this.name);
  }
}

// A file of the browser's own file system can be lengthened only by copying it; many short ones need no copy.
const SEGMENT_BYTES = 32 * 2 ** 20;

/** A growing file in a folder of its own, in segments. */
export class SegmentedFile implements GrowingFile {
  constructor(
    private readonly folder: FileSystemDirectoryHandle,
    private readonly name: string,
  ) {}

  async size(): Promise<number> {
    const segments = await this.segments();
    return segments.reduce((sum, { size }) => sum + size, 0);
  }

  async append(): Promise<Appender> {
    let index = (await this.segments()).length;
    let open: FileSystemWritableFileStream | null = null;
    let written = 0;
    const close = async () => {
      await open?.close();
      open = null;
      written = 0;
      index += 1;
    };
    return {
      write: async (chunk) => {
        if (open === null) {
          const handle = await this.folder.getFileHandle(segmentName(index), { create: true });
          open = await handle.createWritable();
        }
        await open.write(chunk);
        written += chunk.byteLength;
        if (written >= SEGMENT_BYTES) await close();
      },
      close,
    };
  }

  async clear(): Promise<void> {
    const names = await Array.fromAsync(this.folder.keys());
    for (const name of names) await this.folder.removeEntry(name);
  }

  async file(): Promise<File> {
    return new File(await this.segments(), this.name);
  }

  private async segments(): Promise<File[]> {
    const found: [string, File][] = [];
    for await (const [name, handle] of this.folder.entries()) {
      if (handle.kind === 'file') found.push([name, await (handle as FileSystemFileHandle).getFile()]);
    }
    return found.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, file]) => file);
  }
}

function segmentName(index: number): string {
  return String(index).padStart(6, '0');
}
