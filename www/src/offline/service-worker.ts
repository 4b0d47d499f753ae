// Serves the page from the browser's cache, so that it opens without a network. What is not part of the build, models
// above all, it leaves alone. Built as a file of its own by `offline-plugin.ts`.
import type { OfflineMessage } from './build';
import { Versions } from './versions';

/** What of a service worker is used here; TypeScript knows pages and service workers, but not both at once. */
interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  /** Of the page that asks. */
  readonly clientId: string;
  respondWith(answer: Promise<Response>): void;
}
interface MessageFromPage extends ExtendableEvent {
  readonly data: OfflineMessage;
  readonly source: { readonly id: string };
}
interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: {
      type: 'window';
      includeUncontrolled: boolean;
    }): Promise<readonly { readonly id: string; readonly url: string }[]>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  addEventListener(type: 'message', listener: (event: MessageFromPage) => void): void;
}

const worker = self as unknown as ServiceWorkerScope;
const { scope } = worker.registration;
const versions = new Versions(__OFFLINE_BUILD__, scope, {
  caches,
  fetch: (address, options) => fetch(address, options),
  async pages() {
    const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
    return pages.flatMap(({ id, url }) => (url.startsWith(scope) ? [id] : []));
  },
  async locks() {
    if (navigator.locks === undefined) return null;
    return ((await navigator.locks.query()).held ?? []).map(({ name = '' }) => name);
  },
});

// It takes over at once: pages that are open find the files of theirs beside its own.
worker.addEventListener('install', (event) =>
  event.waitUntil(versions.install().then(() => worker.skipWaiting())),
);
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('message', (event) =>
  event.waitUntil(versions.keepModule(event.data, event.source.id)),
);
worker.addEventListener('fetch', (event) => {
  const { request, clientId } = event;
  if (request.method !== 'GET' || !request.url.startsWith(scope)) return;
  const path = request.url.slice(scope.length).replace(/[?#].*$/, '');
  if (request.mode === 'navigate') {
    if (path === '' || path === 'index.html') event.respondWith(versions.answer('', null));
  } else if (versions.has(path)) event.respondWith(versions.answer(path, clientId));
});
