// Pictures as a safetensors file.

import { writeFileSync } from 'node:fs';
import { SIZE } from './picture.js';

/**
 * Writes `pictures` [N, 24, 24, 3] with their captions; the last `validation` of them are not to be trained on.
 */
export function write(path, entries, validation, license) {
  const bytes = SIZE * SIZE * 3;
  const header = JSON.stringify({
    __metadata__: {
      captions: JSON.stringify(entries.map((entry) => entry.caption)),
      validation: String(validation),
      license,
    },
    pictures: { dtype: 'U8', shape: [entries.length, SIZE, SIZE, 3], data_offsets: [0, entries.length * bytes] },
  });
  // The format wants tensors to begin at a multiple of eight.
  const padded = Buffer.from(header.padEnd(Math.ceil(Buffer.byteLength(header) / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(path, Buffer.concat([length, padded, ...entries.map((entry) => entry.picture)]));
  console.log(`${path}: ${entries.length} pictures, ${validation} of them for validation`);
}
