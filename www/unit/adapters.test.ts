import { strToU8, unzipSync, zipSync } from 'fflate';
import { describe, expect, it, test } from 'vitest';
import { checkConfig } from '../src/config/check';
import { defaultConfig } from '../src/config/defaults';
import type { AdapterFiles } from '../src/engine/worker-api';
import { followStart, startProblems } from '../src/experiment/start';
import { adapterFiles, readAdapterFiles } from '../src/lab/adapter-files';
import { adapterInZip } from '../src/lab/adapter-zip';
import { Exporter } from '../src/lab/exporting';
import { Lab } from '../src/lab/lab';
import type { TrainingPlan } from '../src/lab/training';
import { adapterReadme, mergedReadme } from '../src/share/adapter-readme';
import { baseId } from '../src/share/base-id';
import { fileName } from '../src/share/file-name';
import { zipOf } from '../src/share/zip';
import { FakeWorker } from './fake-worker';

const config = strToU8('{"r": 4}');
const weights = new Uint8Array([1, 2, 3]);
const inFolder = { 'run/adapter_config.json': config, 'run/adapter_model.safetensors': weights };

function file(name: string, bytes: Uint8Array): File {
  return new File([bytes.slice()], name);
}

async function problemOf(files: File[]): Promise<string> {
  const answer = await readAdapterFiles(files);
  return answer.ok ? '' : answer.failure.message;
}

describe('reading adapters', () => {
  it('takes a zip, with or without folders, and the two files', async () => {
    for (const files of [
      [file('run.zip', zipSync(inFolder))],
      [file('run', zipSync({ 'adapter_model.safetensors': weights, 'adapter_config.json': config }))],
      [
        file('adapter_model.safetensors', weights),
        file('README.md', weights),
        file('adapter_config.json', config),
      ],
    ]) {
      const answer = await readAdapterFiles(files);
      expect(answer.ok && [...answer.value.weights]).toEqual([1, 2, 3]);
      expect(answer.ok && [...answer.value.config]).toEqual([...config]);
    }
  });

  it('takes what MLX writes, and tells what a pickle would need', async () => {
    const mlx = { 'm/adapter_config.json': config, 'm/adapters.safetensors': weights };
    for (const files of [
      [file('m.zip', zipSync(mlx))],
      [file('adapter_config.json', config), file('adapters.safetensors', weights)],
    ]) {
      const answer = await readAdapterFiles(files);
      expect(answer.ok && [...answer.value.weights]).toEqual([1, 2, 3]);
    }
    const old = zipSync({ 'o/adapter_config.json': config, 'o/adapter_model.bin': weights });
    expect(await problemOf([file('o.zip', old)])).toContain('o/adapter_model.bin can run code');
  });

  it('takes the outermost of several adapters, whole', async () => {
    const zip = zipSync({
      'a/checkpoint-10/adapter_config.json': strToU8('{}'),
      'a/checkpoint-10/adapter_model.safetensors': new Uint8Array([9]),
      'a/adapter_config.json': config,
      'a/adapter_model.safetensors': weights,
    });
    const answer = await readAdapterFiles([file('a.zip', zip)]);
    expect(answer.ok && [...answer.value.weights]).toEqual([1, 2, 3]);
    expect(answer.ok && answer.value.name).toBe('a');
  });

  it('says what is wrong and what would work', async () => {
    const zip = zipSync(inFolder);
    expect(await problemOf([file('notes.zip', strToU8('hello'))])).toContain('is no zip. Use a PEFT folder');
    expect(await problemOf([file('half.zip', zip.slice(0, 60))])).toContain('half.zip is damaged');
    const alone = zipSync({ 'adapter_model.safetensors': weights });
    expect(await problemOf([file('alone.zip', alone)])).toContain('holds no adapter_config.json');
    const without = zipSync({ 'adapter_config.json': config, 'other/adapter_model.safetensors': weights });
    expect(await problemOf([file('w.zip', without)])).toContain('holds no adapter_model.safetensors');
    expect(await problemOf([file('adapter_config.json', config)])).toContain(
      'adapter_model.safetensors is missing',
    );
    expect(await problemOf([file('lora.gguf', weights)])).toContain('made for llama.cpp');
    expect(
      await problemOf([file('adapter_config.json', config), file('adapter_model.bin', weights)]),
    ).toContain('safe_serialization=True');
  });
});

describe('a zip', () => {
  const few = { entries: 3, bytes: 100 };
  const refusal = async (zip: Uint8Array) => {
    const read = await adapterInZip(file('a.zip', zip), few);
    return read.ok ? '' : read.failure.message;
  };

  it('may hold so many files, and so much in those of the adapter', async () => {
    const sound = zipSync({ ...inFolder, 'run/README.md': new Uint8Array(5000) });
    expect(await refusal(sound)).toBe('');
    expect(await refusal(zipSync({ ...inFolder, a: weights, b: weights }))).toContain('more than 3 files');
    for (const level of [0, 9] as const) {
      const halves = {
        'a/adapter_config.json': config,
        'a/adapter_model.safetensors': new Uint8Array(60),
        'b/adapter_model.safetensors': new Uint8Array(60),
      };
      expect(await refusal(zipSync(halves, { level }))).toContain('holds more than any adapter');
    }
  });

  it('that says that it lists four billion files is refused at once', async () => {
    const zip = zipSync(inFolder);
    const end = zip.length - 22;
    // The end of the 64 bit form, and where it is, before the usual end.
    const large = new DataView(new ArrayBuffer(56 + 20));
    large.setUint32(0, 0x6064b50, true);
    large.setUint32(32, 0xffffffff, true);
    large.setUint32(48, new DataView(zip.buffer).getUint32(end + 16, true), true);
    large.setUint32(56, 0x7064b50, true);
    large.setUint32(64, end, true);
    const lies = Uint8Array.from([...zip.slice(0, end), ...new Uint8Array(large.buffer), ...zip.slice(end)]);
    expect(await refusal(lies)).toContain('more than 3 files');
  });

  it('whose lengths cannot be is damaged', async () => {
    const zip = zipSync(inFolder, { level: 9 });
    const view = new DataView(zip.buffer);
    const list = view.getUint32(zip.length - 6, true);
    view.setUint32(list + 24, 1 << 29, true);
    const read = await adapterInZip(file('a.zip', zip));
    expect(read.ok ? '' : read.failure.message).toContain('a.zip is damaged (a length that cannot be)');
  });
});

describe('starting from an adapter', () => {
  const files: AdapterFiles = { name: 'mine', config, weights };
  const plan: TrainingPlan = {
    settings: { ...defaultConfig().session, steps: 3, runs: defaultConfig().runs },
    validationEvery: 0,
    checkpointEvery: 1,
  };
  const listener = { onStep: () => {}, onEvaluation: () => {}, onReady: async () => {} };

  async function labOf(edit?: (worker: FakeWorker) => void) {
    FakeWorker.all = [];
    const lab = new Lab(() => new FakeWorker(edit), { cores: 2, memory: 0 });
    await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
    await lab.loadModel([]);
    const { data } = defaultConfig();
    await lab.loadData({ name: 'text', blob: new Blob(['x']) }, data);
    return lab;
  }

  it('gives every worker the adapter once, and a worker that replaces a dead one too', async () => {
    let made = 0;
    const lab = await labOf((worker) => {
      made += 1;
      if (made === 2) worker.diesAt = 2;
    });
    expect((await lab.startFrom(files)).ok).toBe(true);
    await lab.start(plan, listener);
    expect(lab.phase.value).toBe('finished');
    expect(FakeWorker.all.length).toBe(3);
    for (const { asked } of FakeWorker.all) {
      expect(asked.filter((what) => what === 'start from mine')).toHaveLength(1);
    }
    expect(lab.startedFrom).toBe('mine');
    await lab.startFrom(null);
    await lab.start(plan, listener);
    const alive = FakeWorker.all.filter(({ terminated }) => !terminated);
    for (const { asked } of alive) expect(asked.at(-1)).toBe('start from fresh');
  });

  it('is dropped, with a word, where a new model has another shape', async () => {
    const lab = await labOf();
    await lab.startFrom(files);
    for (const worker of FakeWorker.all) {
      worker.refuses = { place: 'adapter', field: null, message: 'no' };
    }
    await lab.loadModel([new File([], 'other.gguf')]);
    expect(lab.startAdapter.value).toBeNull();
    expect(lab.notice.value).toContain('mine does not fit the new model');
  });

  it('needs a model', async () => {
    const lab = new Lab(() => new FakeWorker(), { cores: 2, memory: 0 });
    const answer = await lab.startFrom(files);
    expect(!answer.ok && answer.failure.message).toContain('Load the model');
  });

  it('makes the settings follow, and tells where they do not', () => {
    const current = defaultConfig();
    const start = { name: 'mine', rank: 4, alpha: 8, use_rslora: true, base: null };
    const matched = { tensors: 8, layers: 2, of_layers: 2, notices: [] };
    const targets: ('q_proj' | 'v_proj')[] = ['v_proj', 'q_proj'];
    const adapter = { ...start, ...matched, targets };
    expect([...startProblems(current.session, adapter).keys()]).toEqual(['rank', 'alpha', 'use_rslora']);
    followStart(current.session, adapter);
    expect(startProblems(current.session, adapter).size).toBe(0);
    expect(checkConfig(current).size).toBe(0);
    current.session.targets = ['q_proj'];
    expect(startProblems(current.session, adapter).get('targets')).toContain(
      'mine, which has v_proj, q_proj',
    );
    expect(startProblems(current.session, null).size).toBe(0);
  });

  it('exports a run from the worker that holds it', async () => {
    const lab = await labOf();
    await lab.start(plan, listener);
    const exporter = new Exporter(lab.desk);
    await exporter.peft(1, 'base');
    expect(FakeWorker.all[1]?.asked.at(-1)).toBe('export 0 of base');
    const parts: number[] = [];
    const told: number[] = [];
    const stop = new AbortController();
    const ask = () =>
      exporter.merged(
        0,
        'f16',
        async (bytes) => void parts.push(...bytes),
        ({ done }) => told.push(done),
        stop.signal,
      );
    expect((await ask()).ok).toBe(true);
    expect(parts).toEqual([0, 0, 0, 1, 1, 2, 2]);
    expect(told).toEqual([2, 4, 6]);
    stop.abort();
    const answer = await ask();
    expect(!answer.ok && answer.failure.message).toContain('cancelled');
    const gone = await exporter.gguf(7, 'f16');
    expect(!gone.ok && gone.failure.message).toContain('not in memory');
  });
});

describe('what leaves', () => {
  const recipe = {
    config: defaultConfig(),
    run: 1,
    base: 'org/base',
    data: 'a|b.txt',
    start: null,
    step: 12,
    validationLoss: 1.25,
  };

  it('tells its recipe', () => {
    const text = adapterReadme(recipe);
    expect(text).toContain('base_model: "org/base"');
    expect(text).toContain('PeftModel.from_pretrained(base, ".")');
    for (const row of [
      '| Data | a\\|b.txt |',
      '| Method | Scaled AdamW |',
      '| Rank, alpha, dropout | 8, 16, 0 |',
      '| Steps | 12 of 60 |',
      '| Validation loss | 1.2500 |',
      '| Start | fresh adapters, seed 0 |',
    ]) {
      expect(text).toContain(row);
    }
    const stabilised = structuredClone(recipe);
    stabilised.config.session.use_rslora = true;
    expect(text).toContain('| Scale | alpha / rank |');
    expect(adapterReadme(stabilised)).toContain('| Scale | alpha / √rank (rsLoRA) |');
    const json = text.split('```json\n')[1]?.split('\n```')[0] ?? '';
    expect(JSON.parse(json).optimizer).toEqual(recipe.config.runs[1]?.optimizer);
    expect(mergedReadme(recipe, true)).toContain('AutoTokenizer.from_pretrained(".")');
    expect(mergedReadme(recipe, false)).toContain('AutoTokenizer.from_pretrained("org/base")');
  });

  it('is a zip that others open', async () => {
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array([1, 2]));
        controller.enqueue(new Uint8Array([3]));
        controller.close();
      },
    });
    const zip = await zipOf([
      { path: 'model.safetensors', content: pieces },
      { path: 'a/b.txt', content: 'words '.repeat(100) },
      { path: 'c.bin', content: new Uint8Array([4]) },
    ]);
    expect(zip.type).toBe('application/zip');
    const found = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    expect(Object.keys(found)).toEqual(['model.safetensors', 'a/b.txt', 'c.bin']);
    expect([...(found['model.safetensors'] ?? [])]).toEqual([1, 2, 3]);
    expect(new TextDecoder().decode(found['a/b.txt'])).toBe('words '.repeat(100));
  });

  it('has a name that every file system takes', () => {
    expect(fileName('Scaled AdamW, lr 1e-3')).toBe('Scaled-AdamW-lr-1e-3');
    expect(fileName('../../etc')).toBe('etc');
    expect(fileName('🍣')).toBe('run');
  });

  it('knows where Python finds some bases', () => {
    const unknown = (name: string) => ({ name, base_id: null });
    const known = { name: 'Smollm2 135M 8k', base_id: 'HuggingFaceTB/SmolLM2-135M-Instruct' };
    expect(baseId(known, 'SmolLM2-135M-Instruct')).toBe('HuggingFaceTB/SmolLM2-135M-Instruct');
    expect(baseId(unknown('unnamed model'), 'org/model · Q8_0')).toBe('org/model');
    expect(baseId(unknown('my-model'))).toBe('my-model');
    expect(baseId(unknown('unnamed model'), 'mine.gguf')).toBe('mine.gguf');
    expect(baseId(unknown('unnamed model'))).toBe('path/to/the/base');
  });
});

test('of several files, those that are one adapter are taken', () => {
  const names = (...files: string[]) =>
    adapterFiles(files.map((name) => new File([''], name))).map(({ name }) => name);
  expect(names('README.md', 'adapter_model.safetensors', 'adapter_config.json')).toEqual([
    'adapter_config.json',
    'adapter_model.safetensors',
  ]);
  expect(names('a.zip', 'b.zip')).toEqual(['a.zip']);
  // What is missing or wrong is told of all of them.
  expect(names('adapter_config.json', 'a.bin')).toEqual(['adapter_config.json', 'a.bin']);
});
