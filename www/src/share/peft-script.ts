import type { Config } from '../config/config';
import type { Target } from '../protocol';
import { peftRun } from './peft-run';
import body from './peft-script.py?raw';
import { comment, python } from './python';

/** What a script is made of. */
export interface ScriptInput {
  config: Config;
  /** Id of the base on the hub, or its folder. */
  base: string;
  /** As in `ModelSummary`. */
  architecture: string;
  /** Name of the data. */
  data: string;
}

const MARK = '# SETTINGS\n';

/** A Python script that trains the runs of the page with transformers, PEFT and Accelerate. */
export function peftScript({ config, base, architecture, data }: ScriptInput): string {
  const { session } = config;
  const gpt2 = architecture === 'gpt2';
  const notes = gpt2 && session.targets.some((target) => parts.includes(target)) ? [partsNote] : [];
  const lines = [
    `BASE = ${python(base)}`,
    `DATA = ${python(data)}`,
    ...notes,
    `LORA = ${python({
      r: session.rank,
      lora_alpha: session.alpha,
      lora_dropout: session.dropout,
      target_modules: modulesOf(session.targets, gpt2),
      fan_in_fan_out: gpt2,
    })}`,
    `BATCH_SIZE = ${python(session.batch_size)}`,
    `STEPS = ${python(session.steps)}`,
    `SEED = ${python(session.seed)}`,
    `VALIDATE_EVERY = ${python(config.validationEvery)}`,
    `DATA_SETTINGS = ${python(config.data)}`,
    '# The base has no dropout of its own on the page.',
    `BASE_SETTINGS = ${python(gpt2 ? { resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 } : {})}`,
    '',
    'RUNS = [',
    ...config.runs.flatMap(({ name, optimizer }) => {
      const run = peftRun(optimizer);
      if ('skipped' in run) {
        return [
          `    # ${comment(name)} is skipped: ${run.skipped}.`,
          `    {"name": ${python(name)}, "skipped": ${python(run.skipped)}},`,
        ];
      }
      return [
        '    {',
        `        "name": ${python(name)},`,
        `        "optimizer": lambda model: ${run.optimizer},`,
        `        "max_grad_norm": ${python(optimizer.max_grad_norm)},`,
        `        "warmup_steps": ${python(optimizer.schedule.warmup_steps)},`,
        `        "decay": ${python(optimizer.schedule.decay)},`,
        '    },',
      ];
    }),
    ']',
    '',
  ];
  return body.replace(MARK, () => lines.join('\n'));
}

const parts: readonly Target[] = ['q_proj', 'k_proj', 'v_proj'];
const partsNote =
  '# The page adapts parts of c_attn, each with a rank of its own; PEFT adapts the whole, so results differ here.';

/** The modules as PEFT finds them. */
function modulesOf(targets: readonly Target[], gpt2: boolean): string[] {
  if (!gpt2) return [...targets];
  const own: Partial<Record<Target, string>> = {
    o_proj: 'attn.c_proj',
    up_proj: 'mlp.c_fc',
    down_proj: 'mlp.c_proj',
  };
  return [...new Set(targets.map((target) => own[target] ?? 'attn.c_attn'))];
}
