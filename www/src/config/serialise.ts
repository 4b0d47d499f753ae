import { quantities } from '../metrics/quantities';
import type { PreconditionerSettings } from '../protocol';
import type { Config, SharedConfig } from './config';
import { defaultConfig } from './defaults';
import { runSettings } from './run-settings';
import { choicesOf, type Setting } from './setting';
import { sharedSettings } from './shared-settings';
import { allTargets } from './targets';
import { textSettings } from './text-settings';

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
  return readSettings(text, defaultConfig(), textSettings);
}

/** The same of any experiment; `config` are its defaults, `own` its settings beside those of every training. */
export function readSettings<Settings extends SharedConfig>(
  text: string,
  config: Settings,
  own: readonly Setting<Settings>[],
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
  const allowed = allowedBy([...sharedSettings, ...own], '');
  for (const [index] of Array.isArray(found.runs) ? found.runs.entries() : []) {
    for (const [place, rule] of allowedBy(runSettings, `runs.${index}.`)) allowed.set(place, rule);
  }
  const runTemplate = config.runs[0];
  const merged = merge(config, found, '', notes, allowed) as Settings;
  // A run may have either preconditioner, so every run is read against the same full template.
  if (Array.isArray(found.runs) && runTemplate !== undefined) {
    const runs = upTo(MOST_RUNS, found.runs, 'runs', notes);
    merged.runs = runs.map(
      (run, index) => merge(runTemplate, run, `runs.${index}`, notes, allowed) as typeof runTemplate,
    );
  }
  return { config: merged, notes };
}

/** By the places of settings, what may stand there. */
type Allowed = Map<string, Rule>;

interface Rule {
  fits(value: unknown): boolean;
  /** Stands there where nothing else does; the default without it. */
  otherwise?: null;
}

/** What settings allow beyond the kind of value that their default is. */
function allowedBy<Root>(settings: readonly Setting<Root>[], prefix: string): Allowed {
  const allowed: Allowed = new Map();
  for (const setting of settings) {
    const place = prefix + setting.at;
    if (setting.kind === 'choice') {
      const choices = choicesOf(setting);
      allowed.set(place, { fits: (value) => choices.includes(value) });
    } else if (setting.kind === 'number' && setting.empty !== undefined) {
      allowed.set(place, { fits: (value) => value === null || Number.isFinite(value), otherwise: null });
    }
  }
  return allowed;
}

/** Values that no field of the page sets and that may be one of a few words. */
const words: Record<string, readonly string[]> = {
  rule: ['adamw', 'sgd', 'muon'],
  documents: ['file', 'blank_line'],
  quantity: quantities,
  compared: ['all', 'rate', 'best'],
  engine: ['auto', 'cpu', 'webgpu'],
  targets: allTargets,
};

/** What a kept preconditioner may leave out: it was written before there was a choice. */
const preconditioner: PreconditionerSettings = {
  damping: 1e-2,
  damping_kind: 'absolute',
  order: 'simultaneous',
  scale_aware: false,
  place: 'gradient',
  tangent: false,
  realigns_momentum: false,
};

type Reader = (value: unknown, path: string, notes: string[], template: unknown, allowed: Allowed) => unknown;

/** Fields whose default does not show all that they may be. */
const special: Record<string, Reader> = {
  preconditioner: (value, path, notes, _, allowed) =>
    value === null ? null : merge(preconditioner, value, path, notes, allowed),
  columns: (value) =>
    isRecord(value) && isStrings(value.prompt) && typeof value.completion === 'string'
      ? { prompt: value.prompt, completion: value.completion }
      : null,
  roles: (value, path, notes, template) =>
    isRecord(value) && Object.values(value).every((role) => typeof role === 'string')
      ? value
      : refused(template, path, notes),
  stop: (value, path, notes) =>
    Array.isArray(value)
      ? upTo(
          MOST_STOPS,
          value.filter((text) => typeof text === 'string'),
          path,
          notes,
        )
      : [],
  style: (value, path, notes, template) =>
    Number.isInteger(value) && Number(value) >= 0 ? value : refused(template, path, notes),
  smoothing: (value, path, notes, template) =>
    typeof value === 'number' && value >= 0 && value < 1 ? value : refused(template, path, notes),
  comparedLr: (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null),
  validation: (value, path, notes, template) =>
    value === 'none' || isHeldOut(value) ? value : refused(template, path, notes),
};

/** `found` in the shape of `template`. */
function merge(template: unknown, found: unknown, path: string, notes: string[], allowed: Allowed): unknown {
  const key = path.split('.').at(-1) ?? '';
  const refuse = () => refused(template, path, notes);
  const rule = allowed.get(path);
  if (rule?.fits(found)) return found;
  if (rule !== undefined) return refused(rule.otherwise === null ? null : template, path, notes);
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
        const other = found[name];
        const read = own
          ? own(other, inner, notes, value, allowed)
          : merge(value, other, inner, notes, allowed);
        return [name, read];
      }),
    );
  }
  const few = words[key];
  const fits =
    typeof found === typeof template &&
    (typeof found !== 'number' || Number.isFinite(found)) &&
    (few === undefined || few.includes(found as string));
  return fits ? found : refuse();
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

/** Whether something is a form of `Validation` with numbers in it. */
function isHeldOut(value: unknown): boolean {
  if (!isRecord(value) || Object.keys(value).length !== 1) return false;
  const { at_most: most } = value;
  if (isRecord(most)) return typeof most.share === 'number' && typeof most.count === 'number';
  return typeof value.count === 'number' || typeof value.share === 'number';
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}
