import type { OptimizerSettings } from '../protocol';
import type { Config, SharedConfig } from './config';

/** What is wrong, by field: names as in `Failure.field`, such as `rank` or `runs.1.lr`. */
export type Problems = Map<string, string>;

/** Notes a problem at `field` where what must hold does not. */
export type Must = (field: string, holds: boolean, range: string) => void;

/** Checks what every training has. `others` checks the rest; the engine has the last word. */
export function checkShared(config: SharedConfig, others: (must: Must) => void): Problems {
  const problems: Problems = new Map();
  const must: Must = (field, holds, range) => {
    if (!holds && !problems.has(field)) problems.set(field, `${nameOf(field)} must be ${range}.`);
  };
  const { session } = config;
  must('rank', whole(session.rank, 1, 64), 'a whole number from 1 to 64');
  must('alpha', session.alpha > 0 && Number.isFinite(session.alpha), 'a number above 0');
  must('dropout', session.dropout >= 0 && session.dropout < 1, 'at least 0 and below 1');
  must('targets', session.targets.length > 0, 'at least one layer');
  must('batch_size', whole(session.batch_size, 1, 256), 'a whole number from 1 to 256');
  must('micro_batch_size', whole(session.micro_batch_size, 0, 256), 'a whole number from 0 to 256');
  must('steps', whole(session.steps, 1, 100_000), 'a whole number from 1 to 100000');
  must('seed', whole(session.seed, 0, 2 ** 32 - 1), 'a whole number from 0 to 4294967295');
  must('validation_every', whole(config.validationEvery, 0, 100_000), 'a whole number; 0 is never');
  must('checkpoint_every', whole(config.checkpointEvery, 0, 100_000), 'a whole number; 0 is never');
  must('runs', config.runs.length > 0, 'at least one; add a run');
  config.runs.forEach((run, index) => {
    checkOptimizer(run.optimizer, (field, holds, range) => must(`runs.${index}.${field}`, holds, range));
    must(`runs.${index}.text_lr`, finite(run.text_lr ?? 0), 'a number, 0 or more, or empty');
  });
  others(must);
  return problems;
}

/** Checks what can be checked of a training on text without the engine. */
export function checkConfig(config: Config): Problems {
  return checkShared(config, (must) => checkText(config, must));
}

function checkText({ data, sample }: Config, must: Must): void {
  must('data_seed', whole(data.seed, 0, 2 ** 32 - 1), 'a whole number from 0 to 4294967295');
  must('sequence_length', whole(data.sequence_length, 2, 65_536), 'a whole number from 2 to 65536');
  if (typeof data.validation === 'object' && 'count' in data.validation) {
    must('validation', whole(data.validation.count, 0, 1e6), 'a whole number, 0 or more');
  }
  must(
    'maximum_examples',
    data.maximum_examples === null || whole(data.maximum_examples, 1, 1e9),
    '1 or more',
  );
  const { columns } = data;
  const mapped = columns === null || (columns.prompt.length > 0 && columns.completion !== '');
  must('columns', mapped, 'one for the completion and at least one for the prompt, or none at all');
  must('max_tokens', whole(sample.max_tokens, 1, 4096), 'a whole number from 1 to 4096');
  must('temperature', finite(sample.temperature), 'a number, 0 or more; 0 always takes the likeliest token');
  must('top_k', whole(sample.top_k, 0, 1e6), 'a whole number; 0 keeps all tokens');
  must('top_p', sample.top_p > 0 && sample.top_p <= 1, 'above 0 and at most 1');
  must('sample_seed', whole(sample.seed, 0, 2 ** 32 - 1), 'a whole number from 0 to 4294967295');
}

function checkOptimizer(optimizer: OptimizerSettings, must: Must): void {
  must('lr', finite(optimizer.lr), 'a number, 0 or more');
  must('lr_ratio_b', finite(optimizer.lr_ratio_b), 'a number, 0 or more');
  must('betas', share(optimizer.betas[0]), 'at least 0 and below 1');
  must('betas.1', share(optimizer.betas[1]), 'at least 0 and below 1');
  must('eps', finite(optimizer.eps), 'a number, 0 or more');
  must('momentum', share(optimizer.momentum), 'at least 0 and below 1');
  must('weight_decay', finite(optimizer.weight_decay), 'a number, 0 or more');
  const { max_grad_norm: norm, preconditioner } = optimizer;
  must('max_grad_norm', norm === null || (Number.isFinite(norm) && norm > 0), 'above 0, or empty');
  const damping = preconditioner?.damping ?? 1;
  must(
    'damping',
    Number.isFinite(damping) && damping > 0,
    'above 0: lora_b starts at 0 and BᵀB alone has no inverse',
  );
  must('warmup_steps', whole(optimizer.schedule.warmup_steps, 0, 100_000), 'a whole number, 0 or more');
}

/** Whether it is a whole number in this range. */
export function whole(value: number, from: number, to: number): boolean {
  return Number.isInteger(value) && value >= from && value <= to;
}

function finite(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

/** What a moving average may keep of its past. */
function share(value: number): boolean {
  return value >= 0 && value < 1;
}

/** The last part of a field's name in words: `runs.1.lr_ratio_b` is `lr_ratio_b`. */
function nameOf(field: string): string {
  const name = field.split('.').at(-1) ?? field;
  const names: Record<string, string> = {
    batch_size: 'Batch',
    micro_batch_size: 'Micro-batch',
    sequence_length: 'Sequence length',
    validation: 'Validation examples',
    validation_every: 'Validation interval',
    checkpoint_every: 'Checkpoint interval',
    maximum_examples: 'Most examples',
    sample_seed: 'Seed',
    data_seed: 'Data seed',
    columns: 'Columns',
    max_tokens: 'Most tokens',
    text_lr: 'lr of words',
    top_k: 'Top k',
    top_p: 'Top p',
    warmup_steps: 'Warm-up steps',
    betas: 'Beta 1',
    1: 'Beta 2',
  };
  // Hyper-parameters are written as in code, the rest as words.
  const words = ['rank', 'alpha', 'dropout', 'targets', 'steps', 'seed', 'runs', 'temperature'];
  return names[name] ?? (words.includes(name) ? name.charAt(0).toUpperCase() + name.slice(1) : name);
}
