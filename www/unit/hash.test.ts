import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashPieces } from '../src/store/hash';

test.each([0, 1, 70_000, 3_000_000])(
  'the hash of %d bytes is that of the whole, however it is cut',
  async (length) => {
    const bytes = randomBytes(length);
    const told: number[] = [];
    const hash = await hashPieces(new Blob([bytes]), 'sha256', (done) => told.push(done));
    expect(hash).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(told).toEqual([...told].sort((one, other) => one - other));
    expect(told.at(-1) ?? 0).toBe(length);
  },
);

test('git’s hash of a file is that of git itself', async () => {
  // `git hash-object` of these letters, and of nothing.
  const hash = (text: string) => hashPieces(new Blob([text]), 'git', () => {});
  expect(await hash('hello\n')).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
  expect(await hash('')).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
});
