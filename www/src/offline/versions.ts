import type { ModuleName } from '../engine/engine-module';
import type { OfflineBuild, OfflineMessage } from './build';
import { buildMark, lockOf } from './build-lock';

/** What of a browser it needs to keep builds of the page. */
export interface Surroundings {
  caches: Pick<CacheStorage, 'open' | 'match' | 'keys' | 'delete'>;
  fetch(address: string, options?: RequestInit): Promise<Response>;
  /** Ids of the pages of this site that are open. */
  pages(): Promise<readonly string[]>;
  /** Names of the locks that pages hold, one for each holder; null in a browser without locks. */
  locks(): Promise<readonly string[] | null>;
}

/**
 * Builds of the page, each in a cache of its own. A page goes on with the build that it was opened with, however many
 * came since: a build is there until its last page has gone.
 */
export class Versions {
  private readonly files: ReadonlySet<string>;
  /** How the names of the caches of this site begin; several sites may live under one origin. */
  private readonly stem: string;

  constructor(
    private readonly build: OfflineBuild,
    /** Address of the page. */
    private readonly scope: string,
    private readonly around: Surroundings,
  ) {
    this.files = new Set(build.files);
    this.stem = `riemann-lora-page ${new URL(scope).pathname} `;
  }

  /** Keeps this build, beside those that are there. */
  async install(): Promise<void> {
    const cache = await this.open();
    const numbers = await Promise.all((await this.othersOpen()).map((other) => this.numberOf(other)));
    await cache.put(this.numberMark, new Response(String(1 + Math.max(0, ...numbers))));
    const used: string[] = [];
    for (const [module, path] of Object.entries(this.build.modules)) {
      const mark = this.markOf(module as ModuleName);
      if ((await this.around.caches.match(mark)) === undefined) continue;
      used.push(path);
      await cache.put(mark, new Response(''));
    }
    await Promise.all([...this.build.files, ...used].map((path) => this.keep(cache, path)));
  }

  /** A page runs with this module: it is needed without a network too. Builds that no page has any more go. */
  async keepModule({ module, build }: OfflineMessage, page: string): Promise<void> {
    await this.remember(page, build);
    const path = this.build.modules[module];
    if (path !== undefined) {
      const cache = await this.open();
      await cache.put(this.markOf(module), new Response(''));
      await this.keep(cache, path);
    }
    await this.clean(build);
  }

  /** Whether a file of the page, of this build or another, may be at this path. */
  has(path: string): boolean {
    return this.files.has(path) || path.startsWith('assets/');
  }

  /** From the caches, or else from the network. `page` has asked; null is one that is just opened. */
  async answer(path: string, page: string | null): Promise<Response> {
    const address = this.addressOf(path);
    for (const cache of await this.cachesFor(path, page)) {
      const found = await cache.match(address, { ignoreVary: true });
      if (found !== undefined) return found;
    }
    const kept = await this.around.caches.match(address, { ignoreVary: true });
    return kept ?? this.around.fetch(address);
  }

  /** In which caches to look first. Names in assets/ carry a hash of the content: any build's is right. */
  private async cachesFor(path: string, page: string | null): Promise<Cache[]> {
    const current = await this.open();
    if (page === null || path.startsWith('assets/')) return [current];
    const revision = await (await this.around.caches.match(this.pageMark(page)))?.text();
    const names = (await this.others()).filter((name) => this.revisionOf(name) === revision);
    return [...(await Promise.all(names.map((name) => this.around.caches.open(name)))), current];
  }

  /** Which build a page has, in the cache of that build: a service worker ends when it has nothing to do. */
  private async remember(page: string, build: string | null): Promise<void> {
    const name = (await this.others()).find((one) => this.lockOf(one) === build);
    if (name === undefined) return;
    const cache = await this.around.caches.open(name);
    await cache.put(this.pageMark(page), new Response(this.revisionOf(name)));
  }

  private async clean(asking: string | null): Promise<void> {
    const [pages, locks] = await Promise.all([this.around.pages(), this.around.locks()]);
    const held = new Set(locks ?? [asking]);
    const [beginning, end] = [buildMark(''), ` ${new URL(this.scope).pathname}`];
    const known = [...(locks ?? [asking])].filter(
      (name) => name?.startsWith(beginning) && name.endsWith(end),
    );
    // One that holds no lock yet is still being opened, and may be of any build.
    if (pages.length > known.length) return;
    const own = await this.numberOf(await this.open());
    for (const name of await this.others()) {
      if (held.has(this.lockOf(name))) continue;
      // A newer one has no page yet: it is about to take over.
      if ((await this.numberOf(await this.around.caches.open(name))) >= own) continue;
      await this.around.caches.delete(name);
    }
  }

  private async keep(cache: Cache, path: string): Promise<void> {
    const address = this.addressOf(path);
    if ((await cache.match(address, { ignoreVary: true })) !== undefined) return;
    const before = path.startsWith('assets/')
      ? await this.around.caches.match(address, { ignoreVary: true })
      : undefined;
    const found = before ?? (await this.around.fetch(address, { cache: 'no-cache' }));
    if (!found.ok) throw new Error(`${address} answered ${found.status}`);
    const { status, headers } = found;
    // Browsers do not open a page from an answer that was redirected.
    await cache.put(address, found.redirected ? new Response(found.body, { status, headers }) : found);
  }

  private open(): Promise<Cache> {
    return this.around.caches.open(this.stem + this.build.revision);
  }

  /** Names of the caches of other builds. */
  private async others(): Promise<string[]> {
    const names = await this.around.caches.keys();
    return names.filter(
      (name) => name.startsWith(this.stem) && this.revisionOf(name) !== this.build.revision,
    );
  }

  private async othersOpen(): Promise<Cache[]> {
    return Promise.all((await this.others()).map((name) => this.around.caches.open(name)));
  }

  /** Builds are numbered as they come; 0 is one that was kept before there were numbers. */
  private async numberOf(cache: Cache): Promise<number> {
    const kept = await cache.match(this.numberMark);
    return kept === undefined ? 0 : Number(await kept.text());
  }

  private get numberMark(): string {
    return this.addressOf('kept-number');
  }

  private lockOf(cache: string): string {
    return lockOf(this.revisionOf(cache), this.scope);
  }

  private revisionOf(cache: string): string {
    return cache.slice(this.stem.length);
  }

  private addressOf(path: string): string {
    return new URL(path, this.scope).href;
  }

  private pageMark(page: string): string {
    return this.addressOf(`kept-page/${page}`);
  }

  private markOf(module: ModuleName): string {
    return this.addressOf(`kept-module/${module}`);
  }
}
