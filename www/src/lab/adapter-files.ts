import { unzipSync } from 'fflate';
import type { AdapterFiles } from '../engine/worker-api';
import { failed, type Result, success, wordsOf } from '../result';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';
/** What MLX calls its weights. */
const MLX_WEIGHTS = 'adapters.safetensors';
const PICKLE = /\.(bin|pt|pth)$/i;
/** The largest adapter that is worth unpacking: rank 64 on all layers of a model that fits into a tab. */
const MOST_BYTES = 1 << 30;

const wayOut = `Use a PEFT folder in a zip, or its two files, ${CONFIG} and ${WEIGHTS}.`;

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
    return fromZip(zip.name, await bytesOf(zip));
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

function pickleWords(name: string): string {
  return `${name} can run code when it is opened and is not read; save it again with PEFT’s save_pretrained and safe_serialization=True.`;
}

/** The two files of an adapter, as far as they are there; PEFT's weights before MLX's. */
function pairIn(files: readonly File[]): { config: File | undefined; weights: File | undefined } {
  const named = (name: string) => files.find((file) => file.name === name);
  return { config: named(CONFIG), weights: named(WEIGHTS) ?? named(MLX_WEIGHTS) };
}

function fromZip(name: string, bytes: Uint8Array): Result<AdapterFiles> {
  const wrong = (message: string) => failed('adapter', message);
  // A zip begins with the letters of its maker.
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return wrong(`${name} is no zip. ${wayOut}`);
  const isOurs = (path: string) => [CONFIG, WEIGHTS, MLX_WEIGHTS].includes(path.split('/').at(-1) ?? '');
  let tooLarge = false;
  let pickle = '';
  let found: Record<string, Uint8Array>;
  try {
    found = unzipSync(bytes, {
      filter: (file) => {
        if (PICKLE.test(file.name)) pickle ||= file.name;
        if (!isOurs(file.name)) return false;
        if (file.originalSize > MOST_BYTES) tooLarge = true;
        return !tooLarge;
      },
    });
  } catch (thrown) {
    return wrong(`${name} is damaged (${wordsOf(thrown)}). Export or download it again.`);
  }
  if (tooLarge)
    return wrong(`${name} holds a file that is larger than any adapter of a base that fits here.`);
  const shallowest = (file: string) =>
    Object.keys(found)
      .filter((path) => path.split('/').at(-1) === file)
      .sort((one, another) => one.split('/').length - another.split('/').length)[0];
  const configPath = shallowest(CONFIG);
  if (configPath === undefined) return wrong(`${name} holds no ${CONFIG}. ${wayOut}`);
  // The weights beside the config, and not those of a checkpoint below it.
  const folder = configPath.slice(0, configPath.length - CONFIG.length);
  const [config, weights] = [found[configPath], found[folder + WEIGHTS] ?? found[folder + MLX_WEIGHTS]];
  if (config === undefined || weights === undefined) {
    const missing = `${name} holds no ${WEIGHTS}${folder === '' ? '' : ` in ${folder}`}.`;
    return wrong(`${missing} ${pickle === '' ? wayOut : pickleWords(pickle)}`);
  }
  return success({ name: name.replace(/\.zip$/i, ''), config, weights });
}

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}
