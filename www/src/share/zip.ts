import { strToU8, Zip, ZipDeflate, ZipPassThrough } from 'fflate';

/** A file that is written into a zip bit by bit. */
export interface ZipEntry {
  push(bytes: Uint8Array): void;
  end(): void;
}

/** A zip that grows as parts come; what is written already lies in blobs, which the browser may put on disk. */
export class ZipWriter {
  private readonly parts: Blob[] = [];
  private failure: Error | null = null;
  private readonly zip: Zip;

  constructor() {
    this.zip = new Zip((error, bytes) => {
      if (error !== null) this.failure = error;
      // A copy: the library goes on using its buffer.
      else this.parts.push(new Blob([bytes.slice()]));
    });
  }

  /** A file of numbers, which would not get smaller. */
  stored(path: string): ZipEntry {
    const entry = new ZipPassThrough(path);
    this.zip.add(entry);
    return { push: (bytes) => entry.push(bytes), end: () => entry.push(new Uint8Array(), true) };
  }

  /** A whole file; text is packed. */
  add(path: string, content: Uint8Array | string): void {
    if (typeof content === 'string') {
      const entry = new ZipDeflate(path, { level: 6 });
      this.zip.add(entry);
      entry.push(strToU8(content), true);
      return;
    }
    const entry = this.stored(path);
    entry.push(content);
    entry.end();
  }

  /** The whole zip. */
  finish(): Blob {
    this.zip.end();
    if (this.failure !== null) throw this.failure;
    return new Blob(this.parts, { type: 'application/zip' });
  }
}
