import { beforeEach, expect, test } from 'vitest';
import { lockOf } from '../src/offline/build-lock';
import { Versions } from '../src/offline/versions';

const scope = 'https://example.org/lora/';

/** As much of a browser's caches as is used. */
class FakeCaches {
  readonly all = new Map<string, Map<string, Response>>();

  async open(name: string): Promise<Cache> {
    const entries = this.all.get(name) ?? new Map<string, Response>();
    this.all.set(name, entries);
    return {
      match: async (address: string) => entries.get(address)?.clone(),
      put: async (address: string, response: Response) => {
        entries.set(address, response);
      },
    } as unknown as Cache;
  }

  async match(address: RequestInfo | URL): Promise<Response | undefined> {
    for (const entries of this.all.values()) {
      const found = entries.get(String(address));
      if (found !== undefined) return found.clone();
    }
    return undefined;
  }

  async keys(): Promise<string[]> {
    return [...this.all.keys()];
  }

  async delete(name: string): Promise<boolean> {
    return this.all.delete(name);
  }
}

let caches: FakeCaches;
/** Content of the server, by path. */
let site: Map<string, string>;
/** The pages that are open, by id, and the build of each; null before it holds its lock. */
let pages: Map<string, string | null>;
let hasLocks: boolean;

beforeEach(() => {
  caches = new FakeCaches();
  pages = new Map();
  hasLocks = true;
});

/** The site gets a new build, whose service worker is installed. */
async function deploy(revision: string): Promise<Versions> {
  site = new Map([
    ['', `page ${revision}`],
    [`assets/view-${revision}.js`, `view ${revision}`],
    ['tiny/model.safetensors', `model ${revision}`],
    [`assets/cpu-${revision}.wasm`, `module ${revision}`],
  ]);
  const files = [...site.keys()].filter((path) => !path.endsWith('.wasm'));
  const versions = new Versions({ revision, files, modules: { cpu: `assets/cpu-${revision}.wasm` } }, scope, {
    caches,
    async fetch(address) {
      const found = site.get(address.slice(scope.length));
      return new Response(found ?? '', { status: found === undefined ? 404 : 200 });
    },
    pages: async () => [...pages.keys()],
    locks: async () => {
      if (!hasLocks) return null;
      const held = [...pages.values()].flatMap((build) => (build === null ? [] : [lockOf(build, scope)]));
      return ['a training', lockOf('one', 'https://example.org/other/'), ...held];
    },
  });
  await versions.install();
  return versions;
}

/** A page tells what it runs with; `build` is its own. */
const tell = (versions: Versions, build: string, page = 'a') =>
  versions.keepModule({ module: 'cpu', build: lockOf(build, scope) }, page);
const textOf = async (versions: Versions, path: string, page: string | null) =>
  (await versions.answer(path, page)).text();
const kept = () => [...caches.all.keys()].map((name) => name.split(' ').at(-1));

test('a page that is open goes on with its own build, however it is alone', async () => {
  const first = await deploy('one');
  pages.set('a', 'one');
  await tell(first, 'one');
  const second = await deploy('two');
  // The page of before tells the service worker that is in charge now, as when its engine is changed.
  await tell(second, 'one');
  expect(kept()).toEqual(['one', 'two']);
  expect(await textOf(second, 'assets/view-one.js', 'a')).toBe('view one');
  expect(await textOf(second, 'assets/cpu-one.wasm', 'a worker')).toBe('module one');
  expect(await textOf(second, 'tiny/model.safetensors', 'a')).toBe('model one');
  // Whoever opens the page now has the new one.
  expect(await textOf(second, '', null)).toBe('page two');
  pages.set('b', 'two');
  await tell(second, 'two', 'b');
  expect(await textOf(second, 'tiny/model.safetensors', 'b')).toBe('model two');
  expect(await textOf(second, 'tiny/model.safetensors', 'a')).toBe('model one');
  expect(kept()).toEqual(['one', 'two']);
});

test('a build goes when its last page has gone, and no other', async () => {
  await deploy('one');
  pages.set('a', 'one');
  await deploy('two');
  pages.set('b', 'two');
  const third = await deploy('three');
  pages.set('c', 'three');
  pages.delete('b');
  await tell(third, 'three');
  expect(kept()).toEqual(['one', 'three']);
  pages.delete('a');
  await tell(third, 'three');
  expect(kept()).toEqual(['three']);
});

test('a build that has come and no page yet is not cleaned away by the one before it', async () => {
  const first = await deploy('one');
  pages.set('a', 'one');
  await tell(first, 'one');
  const second = await deploy('two');
  // What a page tells the service worker that was in charge when it began to speak.
  await tell(first, 'one');
  expect(kept()).toEqual(['one', 'two']);
  expect(await textOf(second, '', null)).toBe('page two');
  // A site that goes back to its build of before goes on cleaning up.
  const again = await deploy('one');
  await tell(again, 'one');
  expect(kept()).toEqual(['one']);
});

test('while a page is being opened, nothing goes: it may be of any build', async () => {
  await deploy('one');
  const second = await deploy('two');
  pages.set('a', null).set('b', 'two');
  await tell(second, 'two');
  expect(kept()).toEqual(['one', 'two']);
  pages.set('a', 'two');
  await tell(second, 'two');
  expect(kept()).toEqual(['two']);
});

test('in a browser without locks only a page of this build that is alone may clean up', async () => {
  hasLocks = false;
  await deploy('one');
  pages.set('a', 'one');
  const second = await deploy('two');
  await tell(second, 'one');
  pages.set('b', 'two');
  await tell(second, 'two');
  expect(kept()).toEqual(['one', 'two']);
  pages.delete('a');
  await tell(second, 'two');
  expect(kept()).toEqual(['two']);
});

test('caches of other sites under the same origin are left alone', async () => {
  await caches.open('riemann-lora-page /other/ one');
  await deploy('one');
  const second = await deploy('two');
  await tell(second, 'two');
  expect([...caches.all.keys()]).toEqual(['riemann-lora-page /other/ one', 'riemann-lora-page /lora/ two']);
});

test('what the next build has too is not fetched again, and its module comes along', async () => {
  const first = await deploy('one');
  pages.set('a', 'one');
  await tell(first, 'one');
  const second = await deploy('two');
  expect(await textOf(second, 'assets/cpu-two.wasm', null)).toBe('module two');
  site.clear();
  expect(await textOf(second, 'assets/cpu-two.wasm', null)).toBe('module two');
});
