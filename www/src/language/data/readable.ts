import type { DataSource } from '../../lab/language';
import type { Progress } from '../../protocol';
import { failed, type Result, success } from '../../result';
import { MOST_DATA_BYTES } from '../../store/data-address';
import { isParquet, localFile, readParquet } from '../../store/parquet';
import { bytes } from '../../words/numbers';

/** Text to train on, and what is to be known of how it was made of a file. */
export interface Readable {
  source: DataSource;
  note: string;
}

/** A chosen file as text: parquet becomes JSON lines, and what is too large is refused before it is read. */
export async function readable(
  source: DataSource,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<Readable>> {
  const { name, blob } = source;
  if (!(await isParquet(blob))) {
    if (blob.size > MOST_DATA_BYTES) return failed('data', tooLarge(name, blob.size));
    return success({ source, note: '' });
  }
  const text = new ParquetText(name);
  const read = await readParquet(
    localFile(blob),
    name,
    ({ lines, done, total }) => {
      onProgress({ action: `Reading ${name}`, done, total });
      text.add(lines);
    },
    signal,
  );
  if (!read.ok) return read;
  const made = text.source();
  return made.ok ? success({ source: { ...source, ...made.value }, note: read.value }) : made;
}

/** JSON lines that come a group at a time. */
export class ParquetText {
  private readonly pieces: string[] = [];
  private size = 0;

  constructor(private readonly name: string) {}

  /** Whether there is room for more. */
  get isFull(): boolean {
    return this.size > MOST_DATA_BYTES;
  }

  /** Adds rows, if they fit. */
  add(lines: string): void {
    this.size += lines.length;
    if (!this.isFull) this.pieces.push(lines);
  }

  /** What fitted. */
  whole(): Blob {
    return new Blob(this.pieces);
  }

  /** All of it, or where that is too much, nothing. */
  source(): Result<DataSource> {
    if (this.isFull) return failed('data', tooLarge(this.name, this.size));
    return success({ name: this.name, blob: this.whole() });
  }
}

function tooLarge(name: string, size: number): string {
  return `${name} has ${bytes(size)} of text, and a tab reads at most ${bytes(MOST_DATA_BYTES)}. Drop a part of it, or train it with the native program, which has no such limit.`;
}
