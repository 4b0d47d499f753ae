import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { Lab } from '../src/lab/lab';
import { App } from '../src/language/app';
import { ChosenColumns, distinctColumns } from '../src/language/data/chosen-columns';
import { columnsOf } from '../src/language/data/data-columns';
import { Signal } from '../src/signal';
import { fetchData, MOST_DATA_BYTES, parseDataAddress } from '../src/store/data-address';
import { catalogModelOf, fetchModel } from '../src/store/download';
import { fetchRest } from '../src/store/fetch-rest';
import { MemoryFile, ToppedFile } from '../src/store/growing-file';
import { chooseFiles, lookUp } from '../src/store/hub';
import { tooLarge } from '../src/store/hub-presets';
import { parseModelAddress } from '../src/store/model-address';
import type { RemoteFile } from '../src/store/opfs-models';
import { fetchRemoteModel, recordOf } from '../src/store/remote-model';
import { FakeWorker } from './fake-worker';

const never = new AbortController().signal;
const content = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
const url = 'https://example.org/tiny.gguf';
const tiny: RemoteFile = { name: 'tiny.gguf', url, bytes: content.length, sha256: null };

/** A server of one file that follows a script: how many bytes each answer has before it breaks, or a status. */
function server(script: (number | { status: number })[], { ranges = true } = {}) {
  const asked: (string | null)[] = [];
  const fetcher = (async (_: string, init?: RequestInit) => {
    const range = new Headers(init?.headers).get('range');
    asked.push(range);
    const step = script.shift() ?? content.length;
    if (typeof step === 'object') return new Response('', step);
    const start = ranges ? Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0) : 0;
    const end = Math.min(content.length, start + step);
    const pieces: Uint8Array[] = [];
    for (let at = start; at < end; at += 100) pieces.push(content.slice(at, Math.min(end, at + 100)));
    const stream = new ReadableStream<Uint8Array>({
      // A broken stream forgets what it holds, so each piece waits until it is asked for.
      pull(controller) {
        const piece = pieces.shift();
        if (piece !== undefined) controller.enqueue(piece);
        else if (end < content.length) controller.error(new TypeError('network error'));
        else controller.close();
      },
    });
    return new Response(stream, { status: start > 0 ? 206 : 200 });
  }) as typeof fetch;
  return { asked, fetcher };
}

async function download(
  script: (number | { status: number })[],
  options = {},
  file = new MemoryFile('tiny.gguf'),
) {
  const { asked, fetcher } = server(script, options);
  const told: number[] = [];
  const waits: number[] = [];
  const breaks: string[] = [];
  const result = await fetchRest(tiny, file, {
    signal: never,
    fetcher,
    onBytes: (done) => told.push(done),
    onBreak: (words) => breaks.push(words),
    wait: async (time) => {
      waits.push(time);
    },
  });
  const there = new Uint8Array(await (await file.file()).arrayBuffer());
  return { result, asked, told, waits, breaks, there, file };
}

describe('an address of a model', () => {
  const repository = (name: string, revision = 'main', file: string | null = null) => ({
    kind: 'repository',
    repository: name,
    revision,
    file,
  });
  test.each([
    ['HuggingFaceTB/SmolLM2-135M', repository('HuggingFaceTB/SmolLM2-135M')],
    [' owner/name@v1.0 ', repository('owner/name', 'v1.0')],
    ['https://huggingface.co/owner/name', repository('owner/name')],
    ['huggingface.co/owner/name/', repository('owner/name')],
    ['https://hf.co/owner/name/tree/dev', repository('owner/name', 'dev')],
    [
      'https://huggingface.co/o/n/resolve/main/a-Q8_0.gguf?download=true',
      repository('o/n', 'main', 'a-Q8_0.gguf'),
    ],
    ['https://huggingface.co/o/n/blob/main/sub/a.gguf', repository('o/n', 'main', 'sub/a.gguf')],
    ['https://huggingface.co/o/n/blob/main/model.safetensors', repository('o/n')],
    [url, { kind: 'file', url, name: 'tiny.gguf' }],
    [
      'https://example.org/a%20b.gguf?x=1',
      { kind: 'file', url: 'https://example.org/a%20b.gguf?x=1', name: 'a b.gguf' },
    ],
  ])('%s', (text, value) => expect(parseModelAddress(text)).toEqual({ ok: true, value }));

  test.each([
    ['', 'no address'],
    ['gpt2', 'neither'],
    ['http://example.org/a.gguf', 'https://'],
    ['https://example.org/model.safetensors', 'no .gguf file'],
    ['https://huggingface.co/datasets/owner/name', 'no model'],
    ['https://huggingface.co/owner', 'no model'],
    ['https://huggingface.co/owner/name/discussions', 'no model'],
  ])('%j is refused with an example', (text, words) => {
    const parsed = parseModelAddress(text);
    expect(parsed.ok ? '' : parsed.failure.message).toContain(words);
    expect(parsed.ok ? '' : parsed.failure.message).toContain('SmolLM2');
  });
});

describe('files of a repository', () => {
  const files = (...names: string[]): RemoteFile[] =>
    names.map((name, index) => ({ name, url: name, bytes: 10 * (index + 1), sha256: null }));
  const chosen = (...names: string[]) =>
    chooseFiles(files(...names)).map(({ label, files: some }) => [label, some.map(({ name }) => name)]);

  test('are a folder, or one GGUF file', () => {
    const folder = ['README.md', 'config.json', 'pytorch_model.bin', 'model.safetensors', 'tokenizer.json'];
    expect(chosen(...folder, 'tokenizer_config.json', 'onnx/model.onnx')).toEqual([
      ['model.safetensors', ['config.json', 'tokenizer.json', 'model.safetensors', 'tokenizer_config.json']],
    ]);
    expect(
      chosen('a-Q4_K_M.gguf', 'a-Q8_0.gguf', 'a-IQ2_XS.gguf', 'a-Q2_K.gguf', 'b-00001-of-00002.gguf'),
    ).toEqual([
      ['a-Q8_0.gguf', ['a-Q8_0.gguf']],
      ['a-Q4_K_M.gguf', ['a-Q4_K_M.gguf']],
      ['a-Q2_K.gguf', ['a-Q2_K.gguf']],
    ]);
  });

  test('may be all parts of a GGUF file, and not some', () => {
    const parts = ['b-Q8_0-00001-of-00002.gguf', 'b-Q8_0-00002-of-00002.gguf'];
    expect(chosen('a-Q4_0.gguf', ...parts, 'c-00001-of-00003.gguf', 'c-00003-of-00003.gguf')).toEqual([
      ['b-Q8_0.gguf in 2 parts', parts],
      ['a-Q4_0.gguf', ['a-Q4_0.gguf']],
    ]);
  });

  test('may be parts with their index', () => {
    const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = 'model.safetensors.index.json';
    expect(chosen('config.json', 'tokenizer.json', index, ...names)).toEqual([
      ['safetensors in 2 parts', ['config.json', 'tokenizer.json', index, ...names]],
    ]);
    expect(chosen('config.json', index, ...names)).toEqual([]);
  });

  test('have a size in all, where all are known', () => {
    expect(chooseFiles(files('config.json', 'tokenizer.json', 'model.safetensors'))[0]?.bytes).toBe(60);
  });
});

describe('the hub', () => {
  const answer = {
    sha: 'abc123',
    cardData: { license: 'apache-2.0' },
    safetensors: { total: 134_515_008 },
    siblings: [
      { rfilename: 'config.json', size: 700, blobId: 'c0ffee' },
      { rfilename: 'tokenizer.json', size: 2000 },
      {
        rfilename: 'model.safetensors',
        size: 300_000,
        blobId: 'bad',
        lfs: { sha256: 'ff', size: 300_000, pointerSize: 1 },
      },
    ],
  };
  const ask = async (text: string, response: () => Response | Promise<Response>) => {
    const asked: string[] = [];
    const parsed = parseModelAddress(text);
    if (!parsed.ok) throw new Error(parsed.failure.message);
    const fetcher = (async (address: string) => {
      asked.push(address);
      return response();
    }) as unknown as typeof fetch;
    return { asked, found: await lookUp(parsed.value, never, fetcher) };
  };

  test('says what there is, of one commit', async () => {
    const { asked, found } = await ask('owner/name', () => Response.json(answer));
    expect(asked).toEqual(['https://huggingface.co/api/models/owner/name/revision/main?blobs=true']);
    if (!found.ok) throw new Error(found.failure.message);
    expect(found.value).toMatchObject({
      licence: 'apache-2.0',
      parameters: 134_515_008,
      host: 'huggingface.co',
    });
    expect(found.value.choices[0]?.bytes).toBe(302_700);
    expect(found.value.choices[0]?.files[2]).toEqual({
      name: 'model.safetensors',
      url: 'https://huggingface.co/owner/name/resolve/abc123/model.safetensors',
      bytes: 300_000,
      sha256: 'ff',
    });
    expect(found.value.choices[0]?.files[0]).toMatchObject({
      name: 'config.json',
      sha256: null,
      git: 'c0ffee',
    });
  });

  /** The beginning of a GGUF file: entries of a number, of texts, then much more. */
  const ggufHead = (...entries: readonly (readonly [key: string, value: string | number])[]) => {
    const parts: Uint8Array<ArrayBuffer>[] = [new TextEncoder().encode('GGUF'), new Uint8Array(20)];
    const word = (value: number, bytes: number) => {
      const part = new Uint8Array(bytes);
      new DataView(part.buffer).setUint32(0, value, true);
      parts.push(part);
    };
    const text = (value: string) => {
      const encoded = new TextEncoder().encode(value);
      word(encoded.length, 8);
      parts.push(encoded);
    };
    for (const [key, value] of entries) {
      text(key);
      if (typeof value === 'string') {
        word(8, 4);
        text(value);
      } else {
        word(4, 4);
        word(value, 4);
      }
    }
    return parts;
  };

  test.each([
    [
      'mamba',
      [
        ['general.alignment', 32],
        ['general.architecture', 'mamba'],
      ],
      'its architecture is mamba',
    ],
    [
      'known',
      [
        ['general.name', 'x'],
        ['general.architecture', 'qwen3'],
      ],
      '',
    ],
    [
      'later',
      [
        ['general.name', 'x'.repeat(5000)],
        ['general.architecture', 'mamba'],
      ],
      '',
    ],
  ] as const)(
    'a GGUF file at an address is asked what it is before it is fetched: %s',
    async (_, entries, words) => {
      const sent: string[] = [];
      let pulled = 0;
      const url = 'https://example.org/a.gguf';
      const fetcher = (async (_address: string, init: RequestInit) => {
        sent.push(init.method ?? 'GET');
        if (init.method === 'HEAD')
          return new Response(null, { headers: { 'content-length': '3000000000' } });
        // A server without ranges, which would send all of it.
        const head = new Blob(ggufHead(...entries));
        const bytes = new Uint8Array(await head.arrayBuffer());
        return new Response(
          new ReadableStream({
            pull(controller) {
              pulled += 1;
              controller.enqueue(pulled === 1 ? bytes : new Uint8Array(2000));
            },
          }),
        );
      }) as unknown as typeof fetch;
      const found = await lookUp({ kind: 'file', url, name: 'a.gguf' }, never, fetcher);
      expect(sent).toEqual(['HEAD', 'GET']);
      expect(pulled).toBeLessThan(6);
      const message = found.ok ? '' : found.failure.message;
      expect(message).toContain(words);
      expect(found.ok).toBe(words === '');
      if (found.ok) expect(found.value.choices[0]?.bytes).toBe(3_000_000_000);
    },
  );

  test('what calls itself GGUF and is none is refused before it is fetched', async () => {
    const answers = [new Response(null), new Response('version https://git-lfs.github.com/spec/v1')];
    const fetcher = (async () => answers.shift()) as unknown as typeof fetch;
    const address = { kind: 'file', url: 'https://example.org/a.gguf', name: 'a.gguf' } as const;
    const found = await lookUp(address, never, fetcher);
    expect(found.ok ? '' : found.failure.message).toContain('a.gguf of example.org is no GGUF file');
  });

  test('a family that is not known is refused before anything of it is fetched', async () => {
    const gguf = [{ rfilename: 'm.Q8_0.gguf', size: 5 }];
    const refused = [
      { ...answer, config: { model_type: 'mamba' } },
      { ...answer, siblings: gguf, gguf: { architecture: 'mamba' } },
    ];
    for (const body of refused) {
      const { asked, found } = await ask('owner/name', () => Response.json(body));
      expect(asked).toHaveLength(1);
      const message = found.ok ? '' : found.failure.message;
      expect(message).toContain('owner/name: its architecture is mamba, which is not supported');
      expect(message).toContain('qwen3');
    }
    // The file is called otherwise than the folder, and either may be all that loads.
    const both = {
      ...answer,
      siblings: [...answer.siblings, ...gguf],
      config: { model_type: 'mistral' },
      gguf: { architecture: 'llama' },
    };
    const labels = async (body: object) => {
      const { found } = await ask('owner/name', () => Response.json(body));
      return found.ok ? found.value.choices.map(({ label }) => label) : found.failure.message;
    };
    expect(await labels(both)).toEqual(['model.safetensors', 'm.Q8_0.gguf']);
    expect(await labels({ ...both, config: { model_type: 'gemma3' } })).toEqual(['m.Q8_0.gguf']);
    expect(await labels({ ...both, config: {}, gguf: null })).toHaveLength(2);
  });

  test.each([
    ['a repository that is not there or not open', () => new Response('', { status: 401 }), 'logged in'],
    ['one that is gone', () => new Response('', { status: 404 }), '404'],
    ['too many questions', () => new Response('', { status: 429 }), 'Wait'],
    ['a server in trouble', () => new Response('', { status: 503 }), 'later'],
    ['no way there', () => Promise.reject(new TypeError('Failed to fetch')), 'CORS'],
    [
      'a page in place of an answer',
      () => new Response('<html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
      'web page',
    ],
    ['an answer of another form', () => Response.json([1]), 'does not know'],
    [
      'old weights',
      () => Response.json({ sha: 'a', siblings: [{ rfilename: 'pytorch_model.bin' }] }),
      'pytorch_model.bin',
    ],
    [
      'an adapter',
      () => Response.json({ sha: 'a', siblings: [{ rfilename: 'adapter_config.json' }] }),
      'is an adapter',
    ],
    ['nothing', () => Response.json({ sha: 'a', siblings: [] }), 'no model'],
  ])('%s is told with a way out', async (_, response, words) => {
    const { found } = await ask('owner/name', response);
    expect(found.ok ? '' : found.failure.message).toContain(words);
    expect(found.ok ? '' : found.failure.place).toBe('model');
  });

  test('a file elsewhere has the size that its server tells', async () => {
    const { found } = await ask(url, () => new Response(null, { headers: { 'content-length': '1000' } }));
    expect(found.ok && found.value.choices).toEqual([{ label: 'tiny.gguf', files: [tiny], bytes: 1000 }]);
    const unknown = await ask(url, () => new Response(null));
    expect(unknown.found.ok && unknown.found.value.choices[0]?.bytes).toBeNull();
  });
});

describe('a download', () => {
  test('comes in one piece', async () => {
    const { result, asked, told, there } = await download([]);
    expect(result.ok).toBe(true);
    expect(asked).toEqual([null]);
    expect(told.at(-1)).toBe(1000);
    expect(there).toEqual(content);
  });

  test('goes on where it broke off', async () => {
    const { result, asked, there, waits } = await download([300, 450]);
    expect(result.ok).toBe(true);
    expect(asked).toEqual([null, 'bytes=300-', 'bytes=750-']);
    expect(there).toEqual(content);
    expect(waits).toEqual([1000, 1000]);
  });

  test('gives up when nothing comes any more, and goes on when asked again', async () => {
    const first = await download([300, 0, { status: 503 }, 0, 0]);
    expect(first.result.ok ? '' : first.result.failure.message).toContain('300 B');
    expect(first.waits).toEqual([1000, 2000, 4000, 8000]);
    expect(first.breaks[0]).toBe('network error');
    const second = await download([], {}, first.file);
    expect(second.asked).toEqual(['bytes=300-']);
    expect(second.there).toEqual(content);
  });

  test('that cannot begin says so at once', async () => {
    const waits: number[] = [];
    const result = await fetchRest(tiny, new MemoryFile('tiny.gguf'), {
      signal: never,
      fetcher: () => Promise.reject(new TypeError('Failed to fetch')),
      onBytes: () => {},
      wait: async (time) => {
        waits.push(time);
      },
    });
    expect(result.ok ? '' : result.failure.message).toContain('CORS');
    expect(waits).toEqual([]);
  });

  test('begins anew at a server without ranges', async () => {
    const { result, asked, there } = await download([300], { ranges: false });
    expect(result.ok).toBe(true);
    expect(asked).toEqual([null, 'bytes=300-']);
    expect(there).toEqual(content);
  });

  test('begins anew where the file has changed', async () => {
    const { result, there } = await download([300, { status: 416 }]);
    expect(result.ok).toBe(true);
    expect(there).toEqual(content);
  });

  test('ends where the file is gone half-way', async () => {
    const { result, there } = await download([300, { status: 404 }]);
    expect(result.ok ? '' : result.failure.message).toContain('404');
    expect(there.length).toBe(300);
  });

  test('can be cancelled and keeps what came', async () => {
    const controller = new AbortController();
    const file = new MemoryFile('tiny.gguf');
    const { fetcher } = server([300]);
    const result = await fetchRest(tiny, file, {
      signal: controller.signal,
      fetcher,
      onBytes: () => {},
      wait: async () => controller.abort(),
    });
    expect(result.ok ? '' : result.failure.message).toContain('cancelled. 300 B are kept');
  });

  test('says so when the browser is full', async () => {
    const file = new MemoryFile('tiny.gguf');
    file.append = async () => ({
      write: async () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
      close: async () => {},
    });
    const { result } = await download([], {}, file);
    expect(result.ok ? '' : result.failure.message).toContain('no more room');
  });

  test('goes on in memory where the browser is full', async () => {
    const file = new MemoryFile('tiny.gguf');
    const plain = file.append.bind(file);
    // Of 250 bytes two pieces of 100 fit, and what was written then is lost with the piece that does not.
    let room = 250;
    file.append = async () => {
      const appender = await plain();
      return {
        ...appender,
        async write(chunk) {
          room -= chunk.length;
          if (room < 0) throw new DOMException('full', 'QuotaExceededError');
          await appender.write(chunk);
        },
      };
    };
    const { asked, fetcher } = server([]);
    const result = await fetchRest(tiny, file, {
      signal: never,
      fetcher,
      onBytes: () => {},
      onFull: (kept) => new ToppedFile(kept, 'tiny.gguf'),
    });
    if (!result.ok) throw new Error(result.failure.message);
    expect(new Uint8Array(await result.value.arrayBuffer())).toEqual(content);
    expect(asked).toEqual([null, 'bytes=200-']);
    expect(await file.size()).toBe(200);
  });

  test('of a model of the site goes on where it broke off, and is known again', async () => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const model = { name: 'Served', file: 'a.gguf', bytes: 1000, sha256, licence: 'MIT', source: 'here' };
    const first = server([300, 0, 0, 0, 0]);
    const broken = await fetchModel(model, () => {}, never, { fetcher: first.fetcher, wait: async () => {} });
    expect(broken.ok ? '' : broken.failure.message).toContain('broke off at 300 B');
    const second = server([]);
    const whole = await fetchModel(model, () => {}, never, { fetcher: second.fetcher });
    if (!whole.ok) throw new Error(whole.failure.message);
    expect(second.asked).toEqual(['bytes=300-']);
    const [file] = whole.value.files;
    expect(file && new Uint8Array(await file.arrayBuffer())).toEqual(content);
    expect(file && catalogModelOf(file)).toBe(model);
  });

  test('of a model that the browser has no room for is loaded, and that it is not kept is said', async () => {
    vi.stubGlobal('navigator', { storage: { estimate: async () => ({ quota: 1000, usage: 500 }) } });
    const record = { id: 'full', title: 'tiny', host: 'example.org', licence: null, files: [tiny] };
    const { fetcher } = server([]);
    const fetched = await fetchRemoteModel(record, () => {}, never, { fetcher });
    const huge = { ...record, files: [{ ...tiny, bytes: 5e9 }] };
    const refused = await fetchRemoteModel(huge, () => {}, never, { fetcher });
    vi.unstubAllGlobals();
    expect(fetched.ok && fetched.value.files.map(({ size }) => size)).toEqual([1000]);
    expect(fetched.ok && fetched.value.note).toContain('no room to keep it');
    expect(refused.ok ? '' : refused.failure.message).toContain('needs 5 GB, and the browser has 500 B left');
  });

  test('of a model is checked against its SHA-256', async () => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const model = { title: 'tiny', host: 'example.org', licence: null, parameters: null, choices: [] };
    const fetched = (hash: string) => {
      const files = [{ ...tiny, sha256: hash }];
      const record = recordOf(model, { label: hash, files, bytes: 1000 });
      const { fetcher } = server([]);
      return fetchRemoteModel(record, () => {}, never, { fetcher, wait: async () => {} });
    };
    const good = await fetched(sha256);
    expect(good.ok && new Uint8Array((await good.value.files[0]?.arrayBuffer()) ?? [])).toEqual(content);
    const bad = await fetched('0'.repeat(64));
    expect(bad.ok ? '' : bad.failure.message).toContain('SHA-256');
  });

  test('of a model is checked against git’s hash where it has no other', async () => {
    const git = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const fetched = async (hash: string) => {
      const files = [{ ...tiny, git: hash }];
      const record = { id: hash, title: 'tiny', host: 'example.org', licence: null, files };
      const found = await fetchRemoteModel(record, () => {}, never, { fetcher: server([]).fetcher });
      return found.ok ? '' : found.failure.message;
    };
    expect(await fetched(git)).toBe('');
    expect(await fetched('0'.repeat(40))).toContain('its hash in git differs');
  });
});

describe('data from an address', () => {
  const get = async (
    response: () => Response | Promise<Response>,
    address = 'https://example.org/a/pairs.txt',
  ) => {
    const parsed = parseDataAddress(address);
    if (!parsed.ok) throw new Error(parsed.failure.message);
    return fetchData(parsed.value, () => {}, never, (async () => response()) as unknown as typeof fetch);
  };

  test('is read as a file of that name', async () => {
    const found = await get(() => new Response('a||b'));
    if (!found.ok) throw new Error(found.failure.message);
    expect(found.value.name).toBe('pairs.txt');
    expect(await found.value.blob.text()).toBe('a||b');
  });

  test('pages that show a file lead to it', () => {
    const file = (address: string) => {
      const parsed = parseDataAddress(address);
      return parsed.ok ? parsed.value.href : parsed.failure.message;
    };
    expect(file('https://github.com/o/r/blob/main/data/a.txt')).toBe(
      'https://raw.githubusercontent.com/o/r/main/data/a.txt',
    );
    expect(file('https://huggingface.co/datasets/o/n/blob/main/a.jsonl')).toBe(
      'https://huggingface.co/datasets/o/n/resolve/main/a.jsonl',
    );
    expect(file('pairs.txt')).toContain('no address');
    expect(file('ftp://example.org/a.txt')).toContain('https://');
  });

  test.each([
    ['404', () => new Response('', { status: 404 }), '404'],
    [
      'a page',
      () => new Response('<!DOCTYPE html><p>', { headers: { 'content-type': 'text/plain' } }),
      'web page',
    ],
    ['no way there', () => Promise.reject(new TypeError('Failed to fetch')), 'CORS'],
    [
      'less than promised',
      () => new Response('a||b', { headers: { 'content-length': '400' } }),
      'broke off after 4 B (400 B were promised)',
    ],
    [
      'too much',
      () => new Response('', { headers: { 'content-length': String(MOST_DATA_BYTES + 1) } }),
      'more than 200 MB',
    ],
    [
      'a broken connection',
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.error(new TypeError('network error')),
          }),
        ),
      'broke off after 0 B (network error)',
    ],
  ])('%s is told with a way out', async (_, response, words) => {
    const found = await get(response);
    expect(found.ok ? '' : found.failure.message).toContain(words);
  });
});

describe('columns', () => {
  test.each([
    ['a.csv', 'id,"what, who",reply\r\n1,2,3', null, ['id', 'what, who', 'reply']],
    // A quote within a cell is a letter, as in the engine's reader.
    ['a.tsv', '\uFEFFquestion\tan "odd" one\tanswer\n', null, ['question', 'an "odd" one', 'answer']],
    ['a.txt', 'land;stadt\n', 'table', ['land', 'stadt']],
    ['a.csv', '"a ""b"" c",d\n', null, ['a "b" c', 'd']],
    ['a.jsonl', '{"q": 1, "a": "x, y"}\n{"z": 1}', null, ['q', 'a']],
    ['a.jsonl', '{"messages": []}', null, []],
    ['a.csv', 'what|"a,b,c"|says\n', null, ['what', 'a,b,c', 'says']],
    ['a.json', '[\n  {\n    "q}": "\\"{",\n    "a": {"b": 1}\n  },\n  {', null, ['q}', 'a']],
    ['a.json', '{"data": [{"q": 1, "a": 2}]}', null, ['q', 'a']],
    [`a.json`, `{"data": [{"q": 1, "a": 2}, ${'{"q": 1}, '.repeat(10_000)}`, null, ['q', 'a']],
    ['a.jsonl', '{"q": ', null, []],
    ['a.txt', 'a, b||c', null, []],
    ['a.csv', 'a,b', 'text', []],
    ['a.csv', 'sep=;\r\na,b;c\r\n1;2\r\n', null, ['a,b', 'c']],
  ] as const)('of %s with %j', async (name, text, format, names) => {
    expect(await columnsOf(new Blob([text]), name, format)).toEqual(names);
  });
});

test('columns are found in the encoding that the file has', async () => {
  const wide = new Uint8Array(
    new Uint16Array([...'\uFEFFä,b\n'].map((letter) => letter.charCodeAt(0))).buffer,
  );
  expect(await columnsOf(new Blob([wide]), 'a.csv', null)).toEqual(['ä', 'b']);
  const western = new Blob([new Uint8Array([0xe4, 0x2c, 0x62, 0x0a])]);
  expect(await columnsOf(western, 'a.csv', null, 'windows1252')).toEqual(['ä', 'b']);
});

test('a model that cannot fit is warned of', () => {
  expect(tooLarge(4.4e9)).toContain('4.4 GB');
  expect(tooLarge(2.2e9)).toBe('');
  expect(tooLarge(null)).toBe('');
});

describe('columns that were chosen', () => {
  const chosen = { prompt: ['what'], completion: 'says' };
  const table = (header: string) => new Blob([`${header}\n1,a,b\n`]);

  test('are told apart by names that no other has', () => {
    expect(distinctColumns(['text', 'id', 'text'])).toEqual({ own: ['id'], shared: ['text'] });
  });

  test('stay with the file that has them, and come back with it', () => {
    const columns = new ChosenColumns();
    expect(columns.isOpen(null)).toBe(false);
    expect(columns.follow(chosen, ['id', 'what', 'says'])).toBe(chosen);
    expect(columns.follow(chosen, ['prompt', 'completion'])).toBeNull();
    expect(columns.isOpen(null)).toBe(true);
    expect(columns.follow(null, ['what', 'id'])).toBeNull();
    expect(columns.follow(null, ['id', 'what', 'says'])).toBe(chosen);
    // Nobody knows which of two is meant.
    expect(columns.follow(chosen, ['says', 'what', 'says'])).toBeNull();
  });

  test('are not asked for in the next file', async () => {
    FakeWorker.all = [];
    const lab = new Lab(() => new FakeWorker(), { cores: 2, memory: 0 });
    const app = new App(lab, new Signal(defaultConfig()));
    await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
    await lab.loadModel([new File(['x'], 'model.gguf')]);
    const things = { name: 'things.csv', blob: table('id,what,says') };
    await app.readData(things);
    app.change(({ data }) => Object.assign(data, { columns: chosen }));
    await app.readData();
    expect(app.config.value.data.columns).toEqual(chosen);
    await app.readData({ name: 'b.csv', blob: table('prompt,completion,x') });
    expect(app.config.value.data.columns).toBeNull();
    expect(app.dataStale.value).toBe(false);
    expect(app.columnsNotice.value).toContain('what → says');
    // The last of two that come at once is the one that is read.
    const two = [app.readData(things), app.readData({ name: 'c.csv', blob: table('a,b,c') })];
    expect(await Promise.all(two)).toEqual([false, true]);
    expect(app.dataSource.value?.name).toBe('c.csv');
    expect(app.config.value.data.columns).toBeNull();
  });
});
