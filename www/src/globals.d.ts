/** Version of the page, from package.json. */
declare const __VERSION__: string;

/** What the built page consists of; written into the service worker by `offline-plugin.ts`. */
declare const __OFFLINE_BUILD__: import('./offline/build').OfflineBuild;
