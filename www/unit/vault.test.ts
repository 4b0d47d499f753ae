import { beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../src/store/digest';
import { Vault } from '../src/store/vault';
import { FakeFolder } from './fake-folder';

interface Content {
  step: number;
}

let folder: FakeFolder;
let vault: Vault<Content>;

beforeEach(() => {
  folder = new FakeFolder();
  vault = new Vault(folder);
});

const partsOf = (step: number) =>
  new Map([
    ['data', new Blob(['the same every time'])],
    ['worker', new Blob([`worker at ${step}, with a state of some length`])],
  ]);
const save = (step: number) => vault.save('a', { step }, partsOf(step));
const isManifest = (name: string) => name.startsWith('manifest');

async function textOf(name: string): Promise<string | undefined> {
  return (await vault.open('a'))?.parts.get(name)?.text();
}

describe('a vault', () => {
  test('gives the newest generation', async () => {
    expect(await vault.list()).toEqual([]);
    for (const step of [1, 2, 3]) await save(step);
    expect((await vault.list())[0]?.content).toEqual({ step: 3 });
    expect(await vault.open('a')).toMatchObject({ content: { step: 3 }, fallback: false });
    expect(await textOf('worker')).toBe('worker at 3, with a state of some length');
  });

  test('holds two generations, and writes what is the same once', async () => {
    for (let step = 1; step <= 5; step += 1) await save(step);
    expect(folder.files.size).toBe(2 + 1 + 2);
    const digest = await digestOf(new Blob(['the same every time']));
    expect(folder.written.filter((name) => name === digest)).toHaveLength(1);
  });

  test('a part written in half is not believed: the generation before is there', async () => {
    await save(1);
    await save(2);
    folder.diesAt = /^[0-9a-f]{64}$/;
    await expect(save(3)).rejects.toThrow('died');
    folder.revive();
    expect(await vault.open('a')).toMatchObject({ content: { step: 2 } });
    await save(4);
    expect(await vault.open('a')).toMatchObject({ content: { step: 4 }, fallback: false });
  });

  test('a manifest written in half is not believed either, and that is said', async () => {
    await save(1);
    await save(2);
    folder.diesAt = /^manifest/;
    await expect(save(3)).rejects.toThrow('died');
    folder.revive();
    expect(await vault.list()).toMatchObject([{ content: { step: 2 }, fallback: true }]);
    expect(await vault.open('a')).toMatchObject({ content: { step: 2 }, fallback: true });
    await save(4);
    expect(await vault.open('a')).toMatchObject({ content: { step: 4 }, fallback: false });
  });

  test('a part that changed under its name is found out, and written again', async () => {
    await save(1);
    await save(2);
    const worker = partsOf(2).get('worker') as Blob;
    const digest = await digestOf(worker);
    folder.files.set(digest, new Blob(['x'.repeat(worker.size)]));
    // Its length is right, which is all that a glance can see.
    expect((await vault.list())[0]?.content).toEqual({ step: 2 });
    expect(await vault.open('a')).toMatchObject({ content: { step: 1 }, fallback: true });
    await save(2);
    expect(await textOf('worker')).toBe(await worker.text());
  });

  test('a part that is gone is as bad', async () => {
    await save(1);
    await save(2);
    folder.files.delete(await digestOf(partsOf(2).get('worker') as Blob));
    expect(await vault.list()).toMatchObject([{ content: { step: 1 }, fallback: true }]);
    folder.files.delete(await digestOf(partsOf(1).get('data') as Blob));
    expect(await vault.list()).toEqual([]);
    expect(await vault.open('a')).toBeNull();
  });

  test('where there is no room, what was kept stays, and nothing half is left', async () => {
    await save(1);
    await save(2);
    const before = [...folder.files.keys()].sort();
    folder.quota = 0;
    await expect(save(3)).rejects.toMatchObject({ name: 'QuotaExceededError' });
    expect([...folder.files.keys()].sort()).toEqual(before);
    expect(await vault.open('a')).toMatchObject({ content: { step: 2 }, fallback: false });
    folder.quota = Number.POSITIVE_INFINITY;
    await save(3);
    expect(await vault.open('a')).toMatchObject({ content: { step: 3 } });
  });

  test('two tabs that keep at once leave one whole generation', async () => {
    const other = new Vault<Content>(folder);
    await Promise.all([
      save(1),
      other.save('a', { step: 100 }, partsOf(100)),
      save(2),
      other.save('a', { step: 101 }, partsOf(101)),
    ]);
    expect(await vault.open('a')).toMatchObject({ content: { step: 101 }, fallback: false });
    expect([...folder.files.keys()].filter(isManifest)).toHaveLength(2);
  });

  test('holds many things, and what they share once; none costs another anything', async () => {
    await save(1);
    await vault.save('b', { step: 7 }, partsOf(7));
    await save(2);
    await save(3);
    expect((await vault.list()).map(({ id, content }) => [id, content.step])).toEqual([
      ['b', 7],
      ['a', 3],
    ]);
    expect(await (await vault.open('b'))?.parts.get('worker')?.text()).toContain('worker at 7');
    // Manifests, workers, and the data of both.
    expect(folder.files.size).toBe(3 + 3 + 1);
    await vault.remove(['b']);
    expect(await vault.open('b')).toBeNull();
    expect(await vault.open('a')).toMatchObject({ content: { step: 3 }, fallback: false });
    expect(folder.files.size).toBe(2 + 2 + 1);
    folder.quota = 0;
    await expect(vault.save('c', { step: 1 }, partsOf(1))).rejects.toMatchObject({
      name: 'QuotaExceededError',
    });
    expect(folder.files.size).toBe(2 + 2 + 1);
  });

  test('has what the first version of the page kept', async () => {
    const before = new Vault<Content>(folder);
    await before.save('', { step: 4 }, partsOf(4));
    expect([...folder.files.keys()].filter(isManifest)).toEqual(['manifest-1.json']);
    await save(1);
    expect((await vault.list()).map(({ id, content }) => [id, content.step])).toEqual([
      ['a', 1],
      ['', 4],
    ]);
    await vault.remove(['']);
    expect(await vault.open('a')).toMatchObject({ content: { step: 1 } });
  });

  test('is empty when all is removed', async () => {
    await save(1);
    await vault.remove(['a']);
    expect(folder.files.size).toBe(0);
    expect(await vault.open('a')).toBeNull();
  });
});

describe('a digest', () => {
  test('is of the whole content, slice by slice', async () => {
    const bytes = new Uint8Array(2 ** 24 + 5);
    const before = await digestOf(new Blob([bytes]));
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    bytes[2 ** 24 + 4] = 1;
    expect(await digestOf(new Blob([bytes]))).not.toBe(before);
    expect(await digestOf(new Blob([]))).not.toBe(before);
  });
});
