import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin } from 'vite';

const SOURCE = 'src/test-hooks.ts';
const PLACE = 'src/generated/.test-hooks';

/** Keeps the script of the test hooks out of the built page: it lies beside it, and only page tests serve it. */
export function apartTestHooks(): Plugin {
  let root = '';
  return {
    name: 'riemann-lora:test-hooks-apart',
    apply: 'build',
    configResolved(config) {
      root = config.root;
    },
    generateBundle(_, bundle) {
      const hooks = Object.values(bundle).find(
        (output) => output.type === 'chunk' && output.facadeModuleId === join(root, SOURCE),
      );
      if (hooks?.type !== 'chunk') return this.error(`${SOURCE} is no script of its own`);
      const place = join(root, PLACE);
      rmSync(place, { recursive: true, force: true });
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, basename(hooks.fileName)), hooks.code);
      delete bundle[hooks.fileName];
    },
  };
}

/** Serves it beside the page. */
export function besideTestHooks(): Plugin {
  return {
    name: 'riemann-lora:test-hooks-beside',
    configurePreviewServer(server) {
      const { root, preview } = server.config;
      server.middlewares.use((request, response, next) => {
        const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
        if (!/^test-hooks-[\w-]+\.js$/.test(name)) return next();
        for (const [header, value] of Object.entries(preview.headers))
          response.setHeader(header, value ?? '');
        response.writeHead(200, { 'Content-Type': 'text/javascript' });
        response.end(readFileSync(join(root, PLACE, name)));
      });
    },
  };
}
