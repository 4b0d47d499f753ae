import type { Config } from '../config/config';
import type { Target } from '../protocol';
import { factorStreams } from './factor-streams';
import optimizers from './optimizers.py?raw';
import draws from './page-draws.py?raw';
import { python } from './python';
import reading from './read-data.py?raw';
import training from './training.py?raw';

/** What a training by a script is of. */
export interface ScriptBasis {
  config: Pick<Config, 'session' | 'data'>;
  /** Id of the base on the hub, or its folder. */
  base: string;
  /** As in `ModelSummary`. */
  architecture: string;
  data: ScriptData;
  /** What is measured on; null where that is a part of the data. */
  validation: ScriptData | null;
}

/** A file by its name, and where others can download the files that it was made of, if they can. */
export interface ScriptData {
  name: string;
  addresses?: readonly string[];
}

const TRAINING = '# TRAINING\n';
const SETTINGS = '# SETTINGS\n';
const OPTIMIZERS = '# OPTIMIZERS\n';
const READING = '# READING\n';
const DRAWS = '# DRAWS\n';

/** A script whose frame is `body`, with all that trains one run after the other and the lines of its settings. */
export function trainingScript(body: string, settings: readonly string[]): string {
  return body
    .replace(TRAINING, () => `${training}\n`)
    .replace(SETTINGS, () => settings.join('\n'))
    .replace(OPTIMIZERS, () => `${optimizers}\n`)
    .replace(READING, () => `${reading}\n`)
    .replace(DRAWS, () => `${draws}\n`);
}

/** Settings that all runs share, as lines of Python. */
export function basisLines({ config, base, architecture, data, validation }: ScriptBasis): string[] {
  const { session } = config;
  const gpt2 = architecture === 'gpt2';
  const modules = modulesOf[architecture] ?? {};
  const wholes = new Set(
    session.targets.filter((target) => isPart(target, architecture)).map((part) => modules[part]),
  );
  const notes = [...wholes].map((whole) => partsNote(whole?.split('.').at(-1) ?? ''));
  const streams = Object.fromEntries(
    session.targets
      .filter((target) => !isPart(target, architecture))
      .map((target) => [modules[target] ?? target, factorStreams(target)]),
  );
  return [
    `BASE = ${python(base)}`,
    `DATA = ${python(data.name)}`,
    `VALIDATION = ${python(validation?.name ?? null)}`,
    `ADDRESSES = ${python(addressesOf([data, ...(validation === null ? [] : [validation])]))}`,
    ...notes,
    `LORA = ${python({
      r: session.rank,
      lora_alpha: session.alpha,
      use_rslora: session.use_rslora,
      lora_dropout: session.dropout,
      target_modules: [...new Set(session.targets.map((target) => modules[target] ?? target))],
      fan_in_fan_out: gpt2,
    })}`,
    '# Random streams of the first lora_A: that of the first block, and the way to the next.',
    `STREAMS = ${python(streams)}`,
    `BATCH_SIZE = ${python(session.batch_size)}`,
    `STEPS = ${python(session.steps)}`,
    `SEED = ${python(session.seed)}`,
    `DATA_SETTINGS = ${python(config.data)}`,
    '# The base has no dropout of its own on the page.',
    `BASE_SETTINGS = ${python(gpt2 ? { resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 } : {})}`,
  ];
}

/** Where the files can be downloaded that not everybody has, by their names. */
function addressesOf(files: readonly ScriptData[]): Record<string, readonly string[]> {
  const known = files.flatMap(({ name, addresses = [] }) =>
    addresses.length > 0 ? [[name, addresses] as const] : [],
  );
  return Object.fromEntries(known);
}

/** The modules as PEFT finds them, where they are called otherwise; parts of a layer are the whole there. */
const modulesOf: Readonly<Record<string, Partial<Record<Target, string>>>> = {
  gpt2: {
    q_proj: 'attn.c_attn',
    k_proj: 'attn.c_attn',
    v_proj: 'attn.c_attn',
    c_attn: 'attn.c_attn',
    o_proj: 'attn.c_proj',
    up_proj: 'mlp.c_fc',
    down_proj: 'mlp.c_proj',
  },
  phi3: {
    q_proj: 'qkv_proj',
    k_proj: 'qkv_proj',
    v_proj: 'qkv_proj',
    gate_proj: 'gate_up_proj',
    up_proj: 'gate_up_proj',
  },
  gpt_neox: { q_proj: 'query_key_value', k_proj: 'query_key_value', v_proj: 'query_key_value' },
};

/** Whether a target is a part of a layer that PEFT adapts as a whole. */
function isPart(target: Target, architecture: string): boolean {
  const whole = modulesOf[architecture]?.[target];
  const sharing = Object.values(modulesOf[architecture] ?? {}).filter((module) => module === whole);
  return whole !== undefined && sharing.length > 1 && target !== 'c_attn';
}

const partsNote = (whole: string) =>
  `# The page adapts parts of ${whole}, each with a rank of its own; PEFT adapts the whole, so results differ here.`;
