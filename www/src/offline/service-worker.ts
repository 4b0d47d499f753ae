// Serves the page from the browser's cache, so that it opens without a network. What is not part of the build, models
// above all, it leaves alone. Built as a file of its own by `offline-plugin.ts`.
import type { ModuleName } from '../engine/engine-module';
import type { OfflineMessage } from './build';

/** What of a service worker is used here; TypeScript knows pages and service workers, but not both at once. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface MessageFromPage extends ExtendableEvent {
  readonly data: OfflineMessage;
}
interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<unknown[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  addEventListener(type: 'message', listener: (event: MessageFromPage) => void): void;
}

const worker = self as unknown as ServiceWorkerScope;
const build = __OFFLINE_BUILD__;
const files = new Set(build.files);
const { scope } = worker.registration;
// Several builds may live under one origin.
const stem = `riemann-lora-page ${new URL(scope).pathname} `;
const current = stem + build.revision;

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('message', (event) => event.waitUntil(keepModule(event.data.module)));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(scope)) return;
  const path = request.url.slice(scope.length).replace(/[?#].*$/, '');
  if (request.mode === 'navigate') {
    if (path === '' || path === 'index.html') event.respondWith(answer(''));
  } else if (files.has(path) || path.startsWith('assets/')) event.respondWith(answer(path));
});

/** Keeps this build, and takes over at once: pages that are open find the files of theirs in the cache of before. */
async function install(): Promise<void> {
  const cache = await caches.open(current);
  const used: string[] = [];
  for (const [module, path] of Object.entries(build.modules)) {
    if ((await caches.match(markOf(module as ModuleName))) !== undefined) {
      used.push(path);
      await cache.put(markOf(module as ModuleName), new Response(''));
    }
  }
  await Promise.all([...build.files, ...used].map((path) => keep(cache, path)));
  await worker.skipWaiting();
}

/** A page of this build runs with this module. */
async function keepModule(module: ModuleName): Promise<void> {
  const path = build.modules[module];
  if (path === undefined) return;
  const cache = await caches.open(current);
  await cache.put(markOf(module), new Response(''));
  await keep(cache, path);
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  // Another page may be one of the build before.
  if (pages.length > 1) return;
  const older = (await caches.keys()).filter((name) => name.startsWith(stem) && name !== current);
  for (const name of older) await caches.delete(name);
}

async function keep(cache: Cache, path: string): Promise<Response> {
  const address = new URL(path, scope).href;
  const there = await cache.match(address, { ignoreVary: true });
  if (there !== undefined) return there;
  // Names in assets/ carry a hash of the content, so what an earlier build kept there is the same.
  const before = path.startsWith('assets/') ? await caches.match(address, { ignoreVary: true }) : undefined;
  const found = before ?? (await fetch(address, { cache: 'no-cache' }));
  if (!found.ok) throw new Error(`${address} answered ${found.status}`);
  const { status, headers } = found;
  // Browsers do not open a page from an answer that was redirected.
  const plain = found.redirected ? new Response(found.body, { status, headers }) : found;
  await cache.put(address, plain.clone());
  return plain;
}

/** From the cache, or else from the network. */
async function answer(path: string): Promise<Response> {
  const address = new URL(path, scope).href;
  const cache = await caches.open(current);
  const mine = await cache.match(address, { ignoreVary: true });
  const kept = mine ?? (await caches.match(address, { ignoreVary: true }));
  return kept ?? fetch(address);
}

function markOf(module: ModuleName): string {
  return new URL(`kept-module/${module}`, scope).href;
}
