import { defineConfig } from 'vite';
import { offline } from './offline-plugin.ts';
import manifest from './package.json' with { type: 'json' };
import { responseHeaders } from './policy.ts';
import { policy } from './policy-plugin.ts';
import { precompressed } from './precompressed-plugin.ts';
import { apartTestHooks } from './test-hooks-plugin.ts';

const isolation = Object.fromEntries(
  Object.entries(responseHeaders).filter(([name]) => name.startsWith('Cross-Origin-')),
);

export default defineConfig({
  // Relative addresses: the built folder works under any path of any static host.
  base: './',
  // A missing file is a 404 and not the page: the page asks whether models are there.
  appType: 'mpa',
  plugins: [policy(), apartTestHooks(), offline(), precompressed()],
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
  // What the development server reloads by is no part of the policy.
  server: { headers: isolation },
  preview: { headers: responseHeaders },
});
