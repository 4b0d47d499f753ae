import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DataSource } from '../src/lab/language';
import { fileNameOf, streamSplit } from '../src/language/data/hub-data';
import { readable } from '../src/language/data/readable';
import { MOST_DATA_BYTES } from '../src/store/data-address';
import { parseDatasetId } from '../src/store/data-id';
import { lookUpData } from '../src/store/hub-data';

const folder = join(import.meta.dirname, '..', '..', 'tests', 'fixtures', 'parquet');
const fixture = (name: string) => readFileSync(join(folder, name));
const rows = fixture('rows.jsonl').toString();
const lines = rows.trimEnd().split('\n');
const signal = new AbortController().signal;
const bytesNote = '1 of its fields are bytes and no text, and are read as empty: picture.';

describe('a parquet file', () => {
  test.each(['none', 'snappy', 'gzip', 'zstd'])(
    'packed by %s gives the rows that it holds',
    async (packing) => {
      // Whatever it is called.
      const blob = new Blob([fixture(`${packing}.parquet`)]);
      const told: number[] = [];
      const read = await readable({ name: 'data.bin', blob }, ({ done }) => told.push(done), signal);
      expect(read).toMatchObject({ ok: true, value: { source: { name: 'data.bin' }, note: bytesNote } });
      expect(read.ok && (await read.value.source.blob.text())).toBe(rows);
      expect(told).toEqual([4, 8, 10]);
    },
  );

  test('has numbers, days and times as the native program and the script write them', async () => {
    const blob = new Blob([fixture('kinds.parquet')]);
    const read = await readable({ name: 'kinds.parquet', blob }, () => {}, signal);
    expect(read.ok && (await read.value.source.blob.text())).toBe(fixture('kinds.jsonl').toString());
  });

  test('has its columns left out that others would read in another way', async () => {
    const blob = new Blob([fixture('other-kinds.parquet')]);
    const read = await readable({ name: 'other.parquet', blob }, () => {}, signal);
    expect(read).toMatchObject({
      ok: true,
      value: {
        note: '3 of its fields are of kinds that programs read in different ways, and are left out: made (INT96), id (UUID), deep.er (INT96). To use one, save it as text or as a time in microseconds.',
      },
    });
    expect(read.ok && (await read.value.source.blob.text())).toBe('{"text":"a"}\n{"text":"b"}\n');
  });

  test('that is broken is refused with what to do', async () => {
    const whole = fixture('snappy.parquet');
    for (const bytes of [whole.subarray(0, whole.length / 2), Buffer.from('PAR1 and nothing else')]) {
      const read = await readable({ name: 'a.parquet', blob: new Blob([bytes]) }, () => {}, signal);
      expect(read.ok).toBe(false);
      expect(!read.ok && read.failure.message).toMatch(
        /^a\.parquet cannot be read as parquet \(.+\)\. Download it again/,
      );
    }
  });

  test('is not read on once that is cancelled', async () => {
    const controller = new AbortController();
    const blob = new Blob([fixture('none.parquet')]);
    const read = await readable({ name: 'a.parquet', blob }, () => controller.abort(), controller.signal);
    expect(!read.ok && read.failure.message).toBe('Reading a.parquet was cancelled.');
  });
});

test('class_29 a file of text that is too large is refused before it is read', async () => {
  const blob = { size: MOST_DATA_BYTES + 1, slice: () => new Blob(['text']), text: () => Promise.reject() };
  const read = await readable({ name: 'a.txt', blob: blob as unknown as Blob }, () => {}, signal);
  expect(!read.ok && read.failure.message).toContain('a.txt has 200 MB of text');
});

test.each([
  ['openai/gsm8k', 'openai/gsm8k'],
  [' squad ', 'squad'],
  ['https://huggingface.co/datasets/openai/gsm8k/viewer/main?row=1', 'openai/gsm8k'],
  ['hf.co/datasets/squad', 'squad'],
])('%s is the data set %s', (text, id) => {
  expect(parseDatasetId(text)).toEqual({ ok: true, value: id });
});

test.each(['', 'a b', 'https://example.org/data.jsonl', 'a/b/c'])('“%s” is no data set', (text) => {
  expect(parseDatasetId(text).ok).toBe(false);
});

const file = (path: string, size: number) => ({ type: 'file', path, size, oid: 'x' });

/** A hub whose trees are `trees` by revision, and whose files are all `content`; counts what was asked. */
function hub(trees: Record<string, unknown>, content: Buffer = Buffer.alloc(0), ranges = true) {
  const asked: string[] = [];
  const fetcher = (async (address: string, init?: RequestInit) => {
    init?.signal?.throwIfAborted();
    const url = new URL(address);
    expect(url.origin).toBe('https://huggingface.co');
    const range = (init?.headers as Record<string, string> | undefined)?.Range;
    asked.push(`${decodeURIComponent(url.pathname)} ${range ?? ''}`.trim());
    const tree = /^\/api\/datasets\/(.+)\/tree\/(.+)$/.exec(url.pathname);
    if (tree !== null) {
      const found = trees[decodeURIComponent(tree[2] ?? '')];
      return found === undefined ? new Response('', { status: 404 }) : Response.json(found);
    }
    const [from = 0, to = 0] = (range ?? '').match(/\d+/g)?.map(Number) ?? [];
    if (!ranges) return new Response(new Uint8Array(content));
    return new Response(new Uint8Array(content.subarray(from, to + 1)), { status: 206 });
  }) as typeof fetch;
  return { asked, fetcher };
}

describe('a data set of the hub', () => {
  const converted = [
    file('README.md', 3),
    file('main/train/0000.parquet', 100),
    file('main/train/0001.parquet', 50),
    file('main/test/0000.parquet', 7),
    file('socratic/partial-train/0000.parquet', 9),
  ];

  test('has splits with sizes', async () => {
    const { fetcher, asked } = hub({ 'refs/convert/parquet': converted });
    const found = await lookUpData('openai/gsm8k', signal, fetcher);
    const splits = found.ok ? found.value : [];
    expect(
      splits.map(({ configuration, split, isPartial, bytes }) => [configuration, split, isPartial, bytes]),
    ).toEqual([
      ['main', 'train', false, 150],
      ['main', 'test', false, 7],
      ['socratic', 'train', true, 9],
    ]);
    expect(splits[0]?.files[1]?.url).toBe(
      'https://huggingface.co/datasets/openai/gsm8k/resolve/refs%2Fconvert%2Fparquet/main/train/0001.parquet',
    );
    expect(asked).toEqual(['/api/datasets/openai/gsm8k/tree/refs/convert/parquet']);
  });

  test('is read from its maker’s files where the hub has converted none', async () => {
    const own = [
      file('data/train-00000-of-00002-abc.parquet', 4),
      file('data/train-00001-of-00002.parquet', 5),
    ];
    const found = await lookUpData('a/b', signal, hub({ main: own }).fetcher);
    expect(found.ok && found.value).toMatchObject([{ configuration: 'data', split: 'train', bytes: 9 }]);
    const none = await lookUpData('a/b', signal, hub({ main: [file('data.zip', 1)] }).fetcher);
    expect(!none.ok && none.failure.message).toContain('a/b has no parquet files');
    const nobody = await lookUpData('a/b', signal, hub({}).fetcher);
    expect(!nobody.ok && nobody.failure.message).toContain('huggingface.co has no a/b (404)');
  });

  const content = fixture('snappy.parquet');
  const split = {
    configuration: 'main',
    split: 'train',
    isPartial: false,
    files: [1, 2].map((number) => ({
      url: `https://huggingface.co/datasets/a/b/${number}`,
      bytes: content.length,
    })),
    bytes: 2 * content.length,
  };

  test.each([
    ['ranges', true],
    ['whole files', false],
  ])('gives its first rows at once and then all, from a server of %s', async (_, ranges) => {
    const first: DataSource[] = [];
    const { fetcher } = hub({}, content, ranges);
    const got = await streamSplit(
      'a/b',
      split,
      (source) => first.push(source),
      () => {},
      signal,
      fetcher,
    );
    expect(first.map(({ name }) => name)).toEqual(['a-b-main-train.parquet (first 4 rows)']);
    expect(await first[0]?.blob.text()).toBe(`${lines.slice(0, 4).join('\n')}\n`);
    expect(got).toMatchObject({
      ok: true,
      value: { note: bytesNote, source: { name: fileNameOf('a/b', split) } },
    });
    expect(got.ok && (await got.value.source.blob.text())).toBe(rows + rows);
  });

  test('that is cancelled keeps its first rows, and says so', async () => {
    const controller = new AbortController();
    const { fetcher } = hub({}, content);
    const got = await streamSplit(
      'a/b',
      split,
      () => controller.abort(),
      () => {},
      controller.signal,
      fetcher,
    );
    expect(!got.ok && got.failure.message).toBe(
      'Reading a-b-main-train.parquet was cancelled. The first 4 rows are used.',
    );
  });

  test('that its maker withholds is refused with a way out', async () => {
    const fetcher = (async () => new Response('', { status: 403 })) as typeof fetch;
    const got = await lookUpData('a/b', signal, fetcher);
    expect(!got.ok && got.failure.message).toContain('only those who have logged in may have it');
  });
});
