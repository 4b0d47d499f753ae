import type { DataSource } from '../../lab/language';
import type { Progress } from '../../protocol';
import { failed, type Result, success } from '../../result';
import { MOST_DATA_BYTES } from '../../store/data-address';
import type { DataSplit } from '../../store/hub-data';
import { readParquet } from '../../store/parquet';
import { remoteFile } from '../../store/remote-file';
import { bytes, count, plural } from '../../words/numbers';
import { ParquetText } from './readable';

/** What came of a split, and what is to be known of it. */
export interface Streamed {
  source: DataSource;
  note: string;
}

/** `openai-gsm8k-main-train.parquet`. */
export function fileNameOf(id: string, { configuration, split }: DataSplit): string {
  return `${[id, configuration, split].join('-').replaceAll('/', '-')}.parquet`;
}

/**
 * Downloads a split. `onFirst` gets the first rows as soon as they are here, where more follow. Where it is cancelled or
 * breaks off after that, the first rows stay, and the failure says so.
 */
export async function streamSplit(
  id: string,
  split: DataSplit,
  onFirst: (first: DataSource) => void,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
  fetcher: typeof fetch = fetch,
): Promise<Result<Streamed>> {
  const name = fileNameOf(id, split);
  const text = new ParquetText(name);
  let came = 0;
  let rows = 0;
  let first = 0;
  let note = split.isPartial ? `The hub has only the beginning of ${id} as parquet.` : '';
  const tell = () => onProgress({ action: `Downloading ${name}`, done: came, total: split.bytes });
  const onBytes = (size: number) => {
    came += size;
    tell();
  };
  tell();
  for (const [index, address] of split.files.entries()) {
    const file = remoteFile(address, signal, onBytes, fetcher);
    const before = rows;
    const full = new AbortController();
    const read = await readParquet(
      file,
      name,
      ({ lines, done, total }) => {
        if (text.isFull) return;
        text.add(lines);
        if (text.isFull) return full.abort();
        rows = before + done;
        const more = done < total || index + 1 < split.files.length;
        const source = text.source();
        if (first > 0 || !more || !source.ok) return;
        first = rows;
        onFirst({ ...source.value, name: `${name} (first ${plural(rows, 'row')})` });
      },
      AbortSignal.any([signal, full.signal]),
    );
    if (full.signal.aborted) {
      const most = `${bytes(MOST_DATA_BYTES)} of text are as much as a tab reads`;
      note = `The first ${count(rows)} rows are used: ${most}.`;
      break;
    }
    if (!read.ok) {
      const stays = first > 0 ? ` The first ${plural(first, 'row')} are used.` : '';
      return failed('data', `${read.failure.message}${stays}`);
    }
    if (index === 0) note = [note, read.value].filter(Boolean).join(' ');
  }
  const addresses = split.files.map(({ url }) => url);
  return success({ source: { name, blob: text.whole(), addresses }, note });
}
