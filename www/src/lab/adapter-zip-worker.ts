import * as Comlink from 'comlink';
import { adapterInZip } from './adapter-zip';

/** What the worker can be asked for. */
export type ZipApi = typeof readZip;

/** What was unpacked is handed over and not copied. */
async function readZip(zip: File) {
  const read = await adapterInZip(zip);
  if (!read.ok) return read;
  const { config, weights } = read.value;
  return Comlink.transfer(read, [config.buffer, weights.buffer]);
}

Comlink.expose(readZip);
