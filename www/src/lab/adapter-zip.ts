import { unzipSync } from 'fflate';
import type { AdapterFiles } from '../engine/worker-api';
import { failed, type Result, success, wordsOf } from '../result';
import { CONFIG, MLX_WEIGHTS, MOST_BYTES, PICKLE, pickleWords, WEIGHTS, wayOut } from './adapter-names';

/** What a zip may hold. */
export interface ZipLimits {
  /** Entries of its list, whatever they are. */
  entries: number;
  /** Bytes of all that is unpacked. */
  bytes: number;
}

/** A folder with all its checkpoints has some hundreds. */
const LIMITS: ZipLimits = { entries: 10_000, bytes: MOST_BYTES };
/** Deflate makes no text larger than so many times its own length, by its format. */
const MOST_RATIO = 1032;

/** The adapter in a zip. */
export async function adapterInZip(zip: File, limits = LIMITS): Promise<Result<AdapterFiles>> {
  return unzip(zip.name, new Uint8Array(await zip.arrayBuffer()), limits);
}

/** Ends the unpacking; the words are for the user. */
class Refused extends Error {}

function unzip(name: string, bytes: Uint8Array, limits: ZipLimits): Result<AdapterFiles> {
  const wrong = (message: string) => failed('adapter', message);
  // A zip begins with the letters of its maker.
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return wrong(`${name} is no zip. ${wayOut}`);
  let pickle = '';
  let entries = 0;
  let unpacked = 0;
  let found: Record<string, Uint8Array>;
  try {
    found = unzipSync(bytes, {
      filter: ({ name: path, size, originalSize, compression }) => {
        entries += 1;
        // The length of the list is what the file says, and may be four billion.
        if (entries > limits.entries) throw new Refused(`lists more than ${limits.entries} files`);
        if (PICKLE.test(path)) pickle ||= path;
        if (![CONFIG, WEIGHTS, MLX_WEIGHTS].includes(path.split('/').at(-1) ?? '')) return false;
        if (originalSize > MOST_RATIO * (size + 1)) throw new Error('a length that cannot be');
        // What is not packed is as long as it is there, whatever it says.
        unpacked += compression === 0 ? size : originalSize;
        if (unpacked > limits.bytes)
          throw new Refused('holds more than any adapter of a base that fits here has');
        return true;
      },
    });
  } catch (thrown) {
    if (thrown instanceof Refused) return wrong(`${name} ${thrown.message}. ${wayOut}`);
    return wrong(`${name} is damaged (${wordsOf(thrown)}). Export or download it again.`);
  }
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
