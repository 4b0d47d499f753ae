import * as v from 'valibot';
import { failed, type Result, success } from '../result';
import { refusal, unreachable } from './answers';
import { HUB } from './model-address';

/** A file of a split. */
export interface ParquetAddress {
  url: string;
  bytes: number;
}

/** A part of a data set that can be read on its own. */
export interface DataSplit {
  configuration: string;
  split: string;
  /** Whether the hub has converted only its beginning. */
  isPartial: boolean;
  /** In their order. */
  files: ParquetAddress[];
  bytes: number;
}

// Where the hub keeps data sets of any form as parquet, and where their makers have put what they have.
const CONVERTED = 'refs/convert/parquet';
const OWN = 'main';
// A page has a thousand files.
const MOST_PAGES = 20;

const listed = v.array(v.looseObject({ type: v.string(), path: v.string(), size: v.optional(v.number()) }));

/** The splits of a data set, with their sizes. Nothing is downloaded yet. */
export async function lookUpData(
  id: string,
  signal: AbortSignal,
  fetcher: typeof fetch = fetch,
): Promise<Result<DataSplit[]>> {
  const converted = await splitsOf(id, CONVERTED, signal, fetcher);
  if (converted.ok && converted.value.length > 0) return converted;
  const own = await splitsOf(id, OWN, signal, fetcher);
  if (!own.ok || own.value.length > 0) return own;
  return failed(
    'data',
    `${id} has no parquet files. Download its files from huggingface.co/datasets/${id} and drop the one to train on here.`,
  );
}

async function splitsOf(
  id: string,
  revision: string,
  signal: AbortSignal,
  fetcher: typeof fetch,
): Promise<Result<DataSplit[]>> {
  const { host } = new URL(HUB);
  const splits = new Map<string, DataSplit>();
  let next: string | null = `${HUB}/api/datasets/${id}/tree/${encodeURIComponent(revision)}?recursive=true`;
  try {
    for (let page = 0; next !== null && page < MOST_PAGES; page += 1) {
      const response: Response = await fetcher(next, { signal });
      const message = refusal(response, id, host);
      if (message !== '') return failed('data', message);
      const answer = v.safeParse(listed, await response.json());
      if (!answer.success)
        return failed('data', `${host} answered about ${id} in a way that this page does not know.`);
      for (const { type, path, size = 0 } of answer.output) {
        if (type === 'file' && path.endsWith('.parquet')) add(splits, id, revision, path, size);
      }
      next = nextPage(response.headers.get('link'));
    }
  } catch (thrown) {
    return failed('data', signal.aborted ? 'Looking up was cancelled.' : unreachable(host, thrown));
  }
  return success([...splits.values()]);
}

/** `default/train/0000.parquet` where the hub has converted, `data/train-00000-of-00002.parquet` where the maker has. */
function add(splits: Map<string, DataSplit>, id: string, revision: string, path: string, bytes: number) {
  const parts = path.split('/');
  const file = parts.at(-1) ?? '';
  const isConverted = revision === CONVERTED;
  const folder = isConverted ? (parts.at(-2) ?? '') : file.replace(/(-\d{5}-of-\d{5}.*)?\.parquet$/, '');
  const configuration = parts.slice(0, isConverted ? -2 : -1).join('/') || 'default';
  const isPartial = isConverted && folder.startsWith('partial-');
  const split = isPartial ? folder.slice('partial-'.length) : folder;
  const key = JSON.stringify([configuration, split]);
  const found = splits.get(key) ?? { configuration, split, isPartial, files: [], bytes: 0 };
  const place = parts.map(encodeURIComponent).join('/');
  found.files.push({
    url: `${HUB}/datasets/${id}/resolve/${encodeURIComponent(revision)}/${place}`,
    bytes,
  });
  found.bytes += bytes;
  splits.set(key, found);
}

/** The address of the next page of a list, if it is of the same server. */
function nextPage(link: string | null): string | null {
  const [, address] = /<([^>]+)>;\s*rel="next"/.exec(link ?? '') ?? [];
  return address?.startsWith(`${HUB}/`) ? address : null;
}
