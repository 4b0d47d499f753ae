/** A folder of `src/`, or a file beside them, and what it is for. */
interface Layer {
  name: string;
  about: string;
}

/**
 * The order of `src/`. A file may import from its own folder and from rows above its row; folders of one row know
 * nothing of each other. `unit/imports.test.ts` holds it. A new feature is a row, or beside another where neither
 * needs the other.
 */
export const layers: readonly (readonly Layer[])[] = [
  [{ name: 'protocol', about: 'what page and worker say, written by a test of the crate' }],
  [
    { name: 'result', about: 'a value, or a failure with its cause and a way out' },
    { name: 'signal', about: 'values that tell when they change' },
    { name: 'words', about: 'numbers and dates as the page writes them' },
  ],
  [
    { name: 'engine', about: 'the wasm modules, which of them is taken, and the worker around one' },
    { name: 'metrics', about: 'what a training measured' },
  ],
  [
    { name: 'config', about: 'settings of a training, their defaults and limits' },
    { name: 'store', about: 'what is downloaded and kept by the browser' },
  ],
  [
    { name: 'controls', about: 'parts of the page that know no feature' },
    { name: 'lab', about: 'the workers: loading, training, recovery' },
  ],
  [{ name: 'share', about: 'what leaves the page' }],
  [{ name: 'charts', about: 'curves on the page and as files' }],
  [{ name: 'experiment', about: 'what training on texts and on pictures have in common' }],
  [{ name: 'keep', about: 'trainings that outlive the page' }],
  [
    { name: 'language', about: 'the experiment on texts' },
    { name: 'images', about: 'the experiment on pictures' },
    { name: 'theory', about: 'the convex network of the paper' },
    { name: 'claims', about: 'what the paper claims and what was found' },
  ],
  [{ name: 'runs', about: 'the table of all runs' }],
  [{ name: 'sweep', about: 'one setting varied' }],
  [
    { name: 'offline', about: 'the page without a network' },
    { name: 'page', about: 'what frames all views' },
    { name: 'test-hooks', about: 'what page tests may reach' },
  ],
  [
    { name: 'main', about: 'puts all together; the only one that loads views when they are first visited' },
    { name: 'globals.d', about: 'what the build puts in' },
  ],
];

/** The one file that may call `import()` on another. */
export const shell = 'main.ts';
