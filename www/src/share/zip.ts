import { makeZip } from 'client-zip';

/** A file of a zip; one that is large comes bit by bit. */
export interface ZipFile {
  path: string;
  content: string | Uint8Array<ArrayBuffer> | File | ReadableStream<Uint8Array>;
}

/**
 * A zip of any size; what is written already lies in blobs, which the browser may put on disk. Nothing is packed:
 * numbers would not get smaller, and the rest is small.
 */
export async function zipOf(files: Iterable<ZipFile> | AsyncIterable<ZipFile>): Promise<Blob> {
  const parts: Blob[] = [];
  const reader = makeZip(inputs(files)).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type: 'application/zip' });
    // A copy: the library may go on using its buffer.
    parts.push(new Blob([value.slice()]));
  }
}

async function* inputs(files: Iterable<ZipFile> | AsyncIterable<ZipFile>) {
  for await (const { path, content } of files) yield { name: path, input: content };
}
