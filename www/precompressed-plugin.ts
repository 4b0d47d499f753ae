import { createReadStream, existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Plugin } from 'vite';

const encodings = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.safetensors': 'application/octet-stream',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  // Browsers compile a module while it arrives only under this name.
  '.wasm': 'application/wasm',
};

/** Makes Vite's preview server send what `scripts/compress` has put beside a file, to whoever can read it. */
export function precompressed(): Plugin {
  return {
    name: 'riemann-lora:precompressed',
    configurePreviewServer(server) {
      const { root, build, preview } = server.config;
      server.middlewares.use((request, response, next) => {
        const path = decodeURI(new URL(request.url ?? '/', 'http://localhost').pathname);
        const file = join(root, build.outDir, path.endsWith('/') ? `${path}index.html` : path);
        const type = types[extname(file)];
        const accepted = String(request.headers['accept-encoding'] ?? '');
        const found = encodings.find(
          ([name, ending]) => accepted.includes(name) && existsSync(file + ending),
        );
        if (type === undefined || found === undefined || request.headers.range !== undefined) return next();
        const [encoding, ending] = found;
        for (const [name, value] of Object.entries(preview.headers)) response.setHeader(name, value ?? '');
        response.writeHead(200, {
          'Content-Type': type,
          'Content-Encoding': encoding,
          'Content-Length': statSync(file + ending).size,
          'Cache-Control': 'no-cache',
          Vary: 'Accept-Encoding',
        });
        createReadStream(file + ending).pipe(response);
      });
    },
  };
}
