import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashPieces } from '../src/store/hash';

test.each([0, 1, 70_000, 3_000_000])(
  'the hash of %d bytes is that of the whole, however it is cut',
  async (length) => {
    const bytes = randomBytes(length);
    const told: number[] = [];
    const hash = await hashPieces(new Blob([bytes]), (done) => told.push(done));
    expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(told).toEqual([...told].sort((one, other) => one - other));
    expect(told.at(-1) ?? 0).toBe(length);
  },
);
