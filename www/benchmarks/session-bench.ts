import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultConfig } from '../src/config/defaults';
import type { SessionSettings } from '../src/protocol';

const www = join(import.meta.dirname, '..');

const generated = join(www, 'src', 'generated');

/** The module that the page would take for `engine` in Chromium, which knows relaxed SIMD. */
export function moduleOf(engine: string): string {
  return engine === 'cpu' && existsSync(join(generated, 'cpu-relaxed')) ? 'cpu-relaxed' : engine;
}

/** What `BenchPage` serves for sessions without the page. */
export const sessionPlaces = {
  '/answers.js': join(import.meta.dirname, 'answers.js'),
  '/engines': generated,
  '/session-worker.js': join(import.meta.dirname, 'session-worker.js'),
  '/tiny': join(www, 'public', 'tiny'),
  '/model': process.env.BENCH_MODEL ?? '',
};

/** Files of the tiny model, each a name and an address. */
export const tinyFiles = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'].map(
  (name) => [name, `/tiny/${name}`],
);

/** The default model. */
export const smolLM2Files = [['model.gguf', '/model']];

/** The data that comes with the page, or its first lines. */
export function bundledData(lines = Number.POSITIVE_INFINITY): string {
  const text = readFileSync(join(www, 'public', 'data', 'wordnet-definitions.txt'), 'utf8');
  return text.split('\n').slice(0, lines).join('\n');
}

/** The page's own settings for `count` runs, which are AdamW and its preconditioned form in turns. */
export function settingsOf(count: number, more: Partial<SessionSettings> = {}): SessionSettings {
  const { session, runs } = defaultConfig();
  return {
    ...session,
    diagnostics: false,
    steps: 100_000,
    runs: Array.from({ length: count }, (_, index) => {
      const optimizer = runs[index % runs.length]?.optimizer;
      if (optimizer === undefined) throw new Error('the page has no runs');
      return { name: `run ${index}`, optimizer };
    }),
    ...more,
  };
}
