import { quantities } from '../metrics/quantities';
import type { PreconditionerSettings } from '../protocol';
import type { Config, SharedConfig } from './config';
import { defaultConfig } from './defaults';

/** Of the form in which settings are written. */
export const VERSION = 1;
const MOST_RUNS = 64;
const MOST_STOPS = 16;

/** A configuration from somewhere else, and what of it could not be used. */
export interface Parsed<Settings extends SharedConfig = Config> {
  config: Settings;
  notes: string[];
}

/** As text, for storage or a link. */
export function writeConfig(config: SharedConfig): string {
  return JSON.stringify({ version: VERSION, ...config });
}

/** Reads settings of a language model from text of any origin: whatever is missing or nonsense has its default, and a note says so. */
export function readConfig(text: string): Parsed {
  return readSettings(text, defaultConfig());
}

/** The same of any experiment; `config` are its defaults. */
export function readSettings<Settings extends SharedConfig>(
  text: string,
  config: Settings,
): Parsed<Settings> {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return { config, notes: ['The kept settings could not be read; these are the defaults.'] };
  }
  if (!isRecord(found) || found.version !== VERSION) {
    return { config, notes: ['The kept settings are of another version; these are the defaults.'] };
  }
  const notes: string[] = [];
  const runTemplate = config.runs[0];
  const merged = merge(config, found, '', notes) as Settings;
  // A run may have either preconditioner, so every run is read against the same full template.
  if (Array.isArray(found.runs) && runTemplate !== undefined) {
    const runs = upTo(MOST_RUNS, found.runs, 'runs', notes);
    merged.runs = runs.map(
      (run, index) => merge(runTemplate, run, `runs.${index}`, notes) as typeof runTemplate,
    );
  }
  return { config: merged, notes };
}

/** Values that may be one of a few words. */
const words: Record<string, readonly string[]> = {
  rule: ['adamw', 'sgd', 'muon'],
  trains: ['both', 'b', 'alternating'],
  damping_kind: ['absolute', 'relative'],
  order: ['simultaneous', 'sequential'],
  decay: ['constant', 'linear', 'cosine'],
  format: ['text', 'pairs', 'json_lines', 'table'],
  documents: ['file', 'blank_line'],
  prompt_style: ['plain', 'chat'],
  loss_on: ['completion', 'all'],
  quantity: quantities,
  engine: ['auto', 'cpu', 'webgpu'],
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj', 'c_attn'],
};

/** What a kept preconditioner may leave out: it was written before there was a choice. */
const preconditioner: PreconditionerSettings = {
  damping: 1e-2,
  damping_kind: 'absolute',
  order: 'simultaneous',
  scale_aware: false,
};

/** Fields whose default does not show all that they may be. */
const special: Record<string, (value: unknown, path: string, notes: string[], template: unknown) => unknown> =
  {
    preconditioner: (value, path, notes) =>
      value === null ? null : merge(preconditioner, value, path, notes),
    columns: (value) =>
      isRecord(value) && isStrings(value.prompt) && typeof value.completion === 'string'
        ? { prompt: value.prompt, completion: value.completion }
        : null,
    format: (value) => (typeof value === 'string' && words.format?.includes(value) ? value : null),
    max_grad_norm: numberOrNull,
    text_lr: numberOrNull,
    stop: (value, path, notes) =>
      Array.isArray(value)
        ? upTo(
            MOST_STOPS,
            value.filter((text) => typeof text === 'string'),
            path,
            notes,
          )
        : [],
    maximum_examples: (value) => (typeof value === 'number' ? value : null),
    style: (value, path, notes, template) =>
      Number.isInteger(value) && Number(value) >= 0 ? value : refused(template, path, notes),
    smoothing: (value, path, notes, template) =>
      typeof value === 'number' && value >= 0 && value < 1 ? value : refused(template, path, notes),
    validation: (value) =>
      isRecord(value) && typeof value.count === 'number' ? { count: value.count } : 'none',
  };

/** `found` in the shape of `template`. */
function merge(template: unknown, found: unknown, path: string, notes: string[]): unknown {
  const key = path.split('.').at(-1) ?? '';
  const refuse = () => refused(template, path, notes);
  if (Array.isArray(template)) {
    if (!Array.isArray(found)) return refuse();
    if (key === 'runs') return template;
    if (key === 'targets') {
      const known = words.targets ?? [];
      return found.every((word) => known.includes(word)) ? [...new Set(found)] : refuse();
    }
    const fits =
      found.length === template.length && found.every((item) => typeof item === typeof template[0]);
    return fits ? found : refuse();
  }
  if (isRecord(template)) {
    if (!isRecord(found)) return refuse();
    return Object.fromEntries(
      Object.entries(template).map(([name, value]) => {
        const inner = path === '' ? name : `${path}.${name}`;
        if (!(name in found)) return [name, structuredClone(value)];
        const own = special[name];
        return [name, own ? own(found[name], inner, notes, value) : merge(value, found[name], inner, notes)];
      }),
    );
  }
  const allowed = words[key];
  const fits =
    typeof found === typeof template &&
    (typeof found !== 'number' || Number.isFinite(found)) &&
    (allowed === undefined || allowed.includes(found as string));
  return fits ? found : refuse();
}

function numberOrNull(value: unknown, path: string, notes: string[]): number | null {
  if (value !== null && typeof value !== 'number') notes.push(`${path} was not usable and has its default.`);
  return typeof value === 'number' ? value : null;
}

/** The first of them, and where there are more, a note that says so. */
function upTo(most: number, all: readonly unknown[], path: string, notes: string[]): unknown[] {
  if (all.length > most) notes.push(`Of ${all.length} ${path} the first ${most} were taken.`);
  return all.slice(0, most);
}

/** The default, and a note that it was needed. */
function refused(template: unknown, path: string, notes: string[]): unknown {
  notes.push(`${path} was not usable and has its default.`);
  return structuredClone(template);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}
