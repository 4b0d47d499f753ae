import type { AdapterFiles } from '../engine/worker-api';
import { failed, type Result, success, wordsOf } from '../result';
import { askOnce } from '../store/ask-once';
import { CONFIG, MLX_WEIGHTS, MOST_BYTES, PICKLE, pickleWords, WEIGHTS, wayOut } from './adapter-names';
import { adapterInZip } from './adapter-zip';
import type { ZipApi } from './adapter-zip-worker';

/** Of several files, those that are one adapter; all where none is, because that is told of them together. */
export function adapterFiles(files: readonly File[]): readonly File[] {
  const { config, weights } = pairIn(files);
  if (config !== undefined && weights !== undefined) return [config, weights];
  const zip = files.find(({ name }) => /\.zip$/i.test(name));
  return zip === undefined ? files : [zip];
}

/** Reads the adapter that these files are. */
export async function readAdapterFiles(files: readonly File[]): Promise<Result<AdapterFiles>> {
  const wrong = (message: string) => failed('adapter', message);
  const { config, weights } = pairIn(files);
  try {
    if (config !== undefined && weights !== undefined) {
      if (weights.size > MOST_BYTES)
        return wrong(`${weights.name} is larger than any adapter of a base that fits here.`);
      return success({ name: 'adapter', config: await bytesOf(config), weights: await bytesOf(weights) });
    }
    const zip =
      files.find((file) => /\.zip$/i.test(file.name)) ?? (files.length === 1 ? files[0] : undefined);
    const other = whatElse(files);
    if (other !== '') return wrong(`${other} ${wayOut}`);
    if (config !== undefined || weights !== undefined) {
      return wrong(`${config === undefined ? CONFIG : WEIGHTS} is missing. ${wayOut}`);
    }
    if (zip === undefined) return wrong(`These files are no adapter. ${wayOut}`);
    if (zip.size > MOST_BYTES)
      return wrong(`${zip.name} is larger than any adapter of a base that fits here.`);
    return await unzipped(zip);
  } catch (thrown) {
    return wrong(`The files cannot be read (${wordsOf(thrown)}). Choose them again.`);
  }
}

/** What files are that look like something else, in the user's words; empty where they do not. */
function whatElse(files: readonly File[]): string {
  const ending = (pattern: RegExp) => files.find((file) => pattern.test(file.name));
  const gguf = ending(/\.gguf$/i);
  if (gguf !== undefined)
    return `${gguf.name} is a GGUF file, which is made for llama.cpp and not read back here.`;
  const pickle = ending(PICKLE);
  return pickle === undefined ? '' : pickleWords(pickle.name);
}

/** The two files of an adapter, as far as they are there; PEFT's weights before MLX's. */
function pairIn(files: readonly File[]): { config: File | undefined; weights: File | undefined } {
  const named = (name: string) => files.find((file) => file.name === name);
  return { config: named(CONFIG), weights: named(WEIGHTS) ?? named(MLX_WEIGHTS) };
}

/** In a worker: a large zip would hold up the page. */
function unzipped(zip: File): Promise<Result<AdapterFiles>> {
  if (globalThis.Worker === undefined) return adapterInZip(zip);
  const worker = new Worker(new URL('./adapter-zip-worker.ts', import.meta.url), { type: 'module' });
  return askOnce<ZipApi, Result<AdapterFiles>>(worker, (read) => read(zip));
}

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}
