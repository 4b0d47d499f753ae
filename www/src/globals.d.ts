/** Version of the page, from package.json. */
declare const __VERSION__: string;

/** Whether `scripts/serve` is building the WebGPU module while it serves this page. */
declare const __WEBGPU_TO_COME__: boolean;

/** What the built page consists of; written into the service worker by `offline-plugin.ts`. */
declare const __OFFLINE_BUILD__: import('./offline/build').OfflineBuild;
