import { strToU8, zipSync } from 'fflate';
import { readAdapterFiles } from '../../src/lab/adapter-files';
import { wounded } from './damage';
import { fuzz } from './fuzz';

const config = strToU8('{"r": 4}');
const weights = new Uint8Array(64).fill(7);
const seeds = [
  zipSync({ 'adapter_config.json': config, 'adapter_model.safetensors': weights }, { level: 0 }),
  zipSync({ 'run/adapter_config.json': config, 'run/adapter_model.safetensors': weights }, { level: 9 }),
  zipSync({
    'a/b/adapter_config.json': config,
    'adapter_config.json': config,
    'a/b/adapters.safetensors': weights,
  }),
  zipSync({ 'run/adapter_config.json': config, 'run/adapter_model.bin': weights }),
  zipSync({ '../adapter_config.json': config, '../adapter_model.safetensors': weights }),
];

fuzz('zips', 4_000, wounded(seeds), async (bytes) => {
  const read = await readAdapterFiles([new File([bytes], 'run.zip')]);
  if (!read.ok && !read.failure.message.includes('run.zip')) throw new Error(read.failure.message);
  return read.ok;
});
