// compress.mjs FOLDER CACHE [--fast]: puts FILE.br and FILE.gz beside every file of FOLDER that a browser loads and that
// becomes smaller by it. What was compressed once is kept in CACHE by its content, for the WebGPU module takes a minute.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const [folder, cache, fast] = process.argv.slice(2);
// Models are as small as they get, and are downloaded in parts that can be resumed.
const COMPRESSED = /\.(css|html|js|json|safetensors|svg|txt|wasm)$/;
const quality = fast === '--fast' ? 5 : 11;

const forms = {
  br: (content) =>
    brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: quality,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    }),
  gz: (content) => gzipSync(content, { level: quality === 11 ? 9 : 6 }),
};

mkdirSync(cache, { recursive: true });
const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
for (const entry of entries) {
  const file = join(entry.parentPath, entry.name);
  if (/\.(br|gz)$/.test(entry.name)) rmSync(file);
}
for (const entry of entries) {
  if (!entry.isFile() || !COMPRESSED.test(entry.name)) continue;
  const file = join(entry.parentPath, entry.name);
  const content = readFileSync(file);
  const hash = createHash('sha256').update(content).digest('hex');
  for (const [ending, compress] of Object.entries(forms)) {
    const kept = join(cache, `${hash}.${quality}.${ending}`);
    if (!existsSync(kept)) writeFileSync(kept, compress(content));
    if (readFileSync(kept).length < 0.95 * content.length) copyFileSync(kept, `${file}.${ending}`);
  }
}
