import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'vite';
import type { ModuleName } from './src/engine/engine-module';
import { BUILD_META, type OfflineBuild } from './src/offline/build.ts';
import { buildMark } from './src/offline/build-lock.ts';

const PLACE = '__OFFLINE_BUILD__';
const FILE = 'service-worker.js';
const moduleNames: readonly ModuleName[] = ['cpu', 'cpu-relaxed', 'webgpu'];

/** Builds the service worker, and writes into it what the page consists of. */
export function offline(): Plugin {
  let root = '';
  let publicDir = '';
  return {
    name: 'riemann-lora:offline',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      root = config.root;
      publicDir = config.publicDir;
    },
    buildStart() {
      this.emitFile({ type: 'chunk', id: join(root, 'src/offline/service-worker.ts'), fileName: FILE });
    },
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const worker = bundle[FILE];
        if (worker?.type !== 'chunk' || !worker.code.includes(PLACE)) {
          return this.error(`${FILE} has no place for the list of files`);
        }
        if (/^\s*(import|export)\b/m.test(worker.code)) return this.error(`${FILE} must be one file`);
        const contents = new Map<string, Buffer>();
        for (const [name, output] of Object.entries(bundle)) {
          if (name === FILE || name.endsWith('.map')) continue;
          contents.set(name, Buffer.from(output.type === 'chunk' ? output.code : output.source));
        }
        for (const name of filesBelow(publicDir)) contents.set(name, readFileSync(join(publicDir, name)));
        const build = describe(contents, root);
        worker.code = worker.code.replace(PLACE, () => JSON.stringify(build));
        const page = bundle['index.html'];
        if (page?.type !== 'asset') return this.error('there is no page to mark with its build');
        // After its content was hashed: the page cannot have its own hash in what is hashed.
        page.source = page.source
          .toString()
          .replace(
            '</head>',
            `  <meta name="${BUILD_META}" content="${buildMark(build.revision)}">\n  </head>`,
          );
      },
    },
  };
}

function describe(contents: Map<string, Buffer>, root: string): OfflineBuild {
  const hash = createHash('sha256');
  const files: string[] = [];
  const modules: OfflineBuild['modules'] = {};
  for (const [name, content] of [...contents].sort(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${name}\0${content.length}\0`).update(content);
    if (name.endsWith('.wasm')) {
      const module = moduleNames.find((one) => content.equals(contentOf(root, one)));
      if (module !== undefined) modules[module] = name;
    } else files.push(name === 'index.html' ? '' : name);
  }
  return { revision: hash.digest('hex').slice(0, 16), files, modules };
}

function contentOf(root: string, module: ModuleName): Buffer {
  try {
    return readFileSync(join(root, 'src/generated', module, 'riemann_lora_bg.wasm'));
  } catch {
    // A page without one of them is a page too.
    return Buffer.alloc(0);
  }
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
