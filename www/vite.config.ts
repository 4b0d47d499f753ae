import { defineConfig } from 'vite';
import { offline } from './offline-plugin.ts';
import manifest from './package.json' with { type: 'json' };
import { precompressed } from './precompressed-plugin.ts';

// Isolation is not needed by the page, but it makes timers finer and memory measurable where a host can send it.
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  // Relative addresses: the built folder works under any path of any static host.
  base: './',
  // A missing file is a 404 and not the page: the page asks whether models are there.
  appType: 'mpa',
  plugins: [offline(), precompressed()],
  define: {
    __VERSION__: JSON.stringify(manifest.version),
    __WEBGPU_TO_COME__: JSON.stringify(Boolean(process.env.WEBGPU_TO_COME)),
  },
  build: {
    target: 'esnext',
    // A wasm module written into the script as base64 would be larger and could not be compiled while it streams.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
});
