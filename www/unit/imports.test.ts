import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, test } from 'vitest';
import { layers, shell } from '../layers';

const SRC = join(import.meta.dirname, '../src');

/** An import of `to` by `from`, both as paths below `src/`. */
interface Import {
  from: string;
  to: string;
  /** By `import()`, when it is called. */
  late: boolean;
  /** Nothing of it is left once types are stripped. */
  types: boolean;
}

const sources = new Map(files('.ts').map((path) => [path, readFileSync(join(SRC, path), 'utf8')]));

function files(ending: string): string[] {
  const all = readdirSync(SRC, { recursive: true, encoding: 'utf8' });
  return all.filter((path) => path.endsWith(ending) && !path.startsWith('generated'));
}

/** What `text`, the file at `from`, imports from other files of `src/`. Types count: who needs a type needs its meaning. */
function importsOf(from: string, text: string): Import[] {
  const { module } = parseSync(from, text);
  const imported = module.staticImports.map(({ entries, moduleRequest }) => {
    const types = entries.length > 0 && entries.every(({ isType }) => isType);
    return { path: moduleRequest.value, late: false, types };
  });
  const exported = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ isType, moduleRequest }) =>
      moduleRequest === null ? [] : { path: moduleRequest.value, late: false, types: isType },
    ),
  );
  const late = module.dynamicImports.map(({ moduleRequest: { start, end } }) => {
    return { path: text.slice(start + 1, end - 1), late: true, types: false };
  });
  return [...imported, ...exported, ...late]
    .filter(({ path }) => path.startsWith('.'))
    .map(({ path, ...rest }) => ({ from, to: fileOf(normalize(join(dirname(from), path))), ...rest }));
}

function fileOf(path: string): string {
  const plain = path.split('?')[0] ?? '';
  return /\.\w+$/.test(plain) ? plain : `${plain}.ts`;
}

/** The folder of a path, or its own name where it is in none. */
function layerOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : path.replace(/\.ts$/, '');
}

function rowOf(path: string): number {
  return layers.findIndex((row) => row.some(({ name }) => name === layerOf(path)));
}

/** What is wrong with an import, in a sentence; nothing where it is allowed. */
function wrong({ from, to, late }: Import): string[] {
  if (late && from !== shell) return [`${from} loads ${to} by itself, which is ${shell}'s`];
  for (const path of [from, to]) if (rowOf(path) < 0) return [`${path} is in no layer`];
  const upwards = layerOf(from) !== layerOf(to) && rowOf(to) >= rowOf(from);
  return upwards ? [`${from} imports ${to}, which does not stand above it`] : [];
}

/** Files that import each other in a circle. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' → '));
    if (way.includes(path) || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

const imports = [...sources].flatMap(([path, text]) => importsOf(path, text));

describe('imports of the page', () => {
  test('go one way', () => {
    expect(imports.length).toBeGreaterThan(500);
    expect(imports.flatMap(wrong)).toEqual([]);
  });

  test('make no circle', () => {
    const next = (path: string) => imports.filter(({ from }) => from === path).map(({ to }) => to);
    expect(circles(new Map([...sources.keys()].map((path) => [path, next(path)])))).toEqual([]);
  });

  test('bring nothing of a view that is made when it is first visited', () => {
    const first = new Set([shell]);
    // A set is walked to what is added to it on the way.
    for (const path of first) {
      for (const { from, to, late, types } of imports) if (from === path && !late && !types) first.add(to);
    }
    expect(first.size).toBeGreaterThan(150);
    // Runs are recorded from the beginning, and only their view waits.
    const lazy = /^(sweep|images|theory)\/|^runs\/.*(-view|-panel|\.css)/;
    expect([...first].filter((path) => lazy.test(path))).toEqual([]);
  });

  test('every layer is a folder or a file of the page', () => {
    const there = new Set([...sources.keys()].map(layerOf));
    expect([...there].sort()).toEqual(layers.flatMap((row) => row.map(({ name }) => name)).sort());
  });
});

describe('forbidden imports are found', () => {
  const wrongOf = (from: string, text: string) => importsOf(from, text).flatMap(wrong);

  test.each([
    ['lab/made-up.ts', "import { drawingsOf } from '../images/drawing';"],
    ['lab/made-up.ts', "import type { App } from '../language/app';"],
    ['store/made-up.ts', "export { h } from '../controls/dom';"],
    ['language/samples/made-up.ts', "import '../../sweep/sweep.css';"],
    ['images/made-up.ts', "import { App } from '../language/app';"],
  ])('%s: %s', (from, text) => {
    expect(wrongOf(from, text)).toEqual([expect.stringContaining('does not stand above it')]);
  });

  test('a view that another than the shell loads', () => {
    const text = "const view = () => import('../theory/theory-view');";
    expect(wrongOf('sweep/made-up.ts', text)).toEqual([
      expect.stringContaining('loads theory/theory-view.ts'),
    ]);
    expect(wrongOf(shell, "const view = () => import('./theory/theory-view');")).toEqual([]);
  });

  test('a folder that no layer names', () => {
    const text = "import { h } from '../controls/dom';";
    expect(wrongOf('ui/made-up.ts', text)).toEqual(['ui/made-up.ts is in no layer']);
  });

  test('a circle', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(circles(graph)).toEqual(['b → c → b']);
  });
});

describe('rules of CSS', () => {
  const ORDER = 'page/layers.css';
  const declared = /@layer ([\w, ]+);/.exec(readFileSync(join(SRC, ORDER), 'utf8'));
  const order = declared?.[1]?.split(', ');

  test('the order of layers is the first that the page reads', () => {
    const [first] = /'\.\/[^']*\.css'/.exec(sources.get(shell) ?? '') ?? [];
    expect(first).toBe(`'./${ORDER}'`);
  });

  test.each(files('.css').filter((path) => path !== ORDER))(
    '%s stands in a layer that the page declares',
    (path) => {
      const text = readFileSync(join(SRC, path), 'utf8').replace(/\/\*.*?\*\//gs, '');
      const name = /^@layer (\w+) \{$|^@import "[^"]+" layer\((\w+)\);$/m.exec(text);
      expect(order).toContain(name?.[1] ?? name?.[2]);
      // Nothing stands beside it.
      expect(text.match(/^[^\s}].*$/gm)).toHaveLength(1);
    },
  );

  test.each(files('.css'))('%s comes with what it draws', (path) => {
    expect(imports.map(({ to }) => to)).toContain(path);
  });
});
