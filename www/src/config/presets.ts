import type { OptimizerSettings } from '../protocol';

/** The four methods that a run can be. */
export type Method = 'adamw' | 'scaled_adamw' | 'sgd' | 'scaled_gd';

export const methodNames: Record<Method, string> = {
  adamw: 'AdamW',
  scaled_adamw: 'Scaled AdamW',
  sgd: 'SGD',
  scaled_gd: 'Scaled GD',
};

/** Hyper-parameters that are known to behave together. `lr` is a place to start from. */
export interface Preset {
  id: string;
  name: string;
  method: Method;
  /** What it is good for, in one sentence. */
  about: string;
  optimizer: OptimizerSettings;
}

const plain: OptimizerSettings = {
  rule: 'adamw',
  preconditioner: null,
  lr: 1e-3,
  lr_ratio_b: 1,
  betas: [0.9, 0.999],
  eps: 1e-8,
  weight_decay: 0.01,
  max_grad_norm: null,
  schedule: { warmup_steps: 0, decay: 'constant' },
};

export const presets: readonly Preset[] = [
  {
    id: 'adamw',
    name: 'PEFT defaults',
    method: 'adamw',
    about: 'AdamW as PyTorch sets it: betas 0.9 and 0.999.',
    optimizer: plain,
  },
  {
    id: 'adamw-paper',
    name: 'Paper',
    method: 'adamw',
    about: 'The paper’s AdamW: betas 0.9 and 0.999 at lr 2e-4.',
    optimizer: { ...plain, lr: 2e-4, eps: 1e-6 },
  },
  {
    id: 'adamw-control',
    name: 'Control: paper’s betas',
    method: 'adamw',
    about:
      'AdamW at the betas of the paper’s scaled AdamW: the paper changes betas and preconditioner together, this changes betas alone.',
    optimizer: { ...plain, betas: [0.7, 0.8], eps: 1e-6 },
  },
  {
    id: 'scaled-adamw-safe',
    name: 'Safe',
    method: 'scaled_adamw',
    about: 'PEFT’s damping of 1e-2 with betas 0.9 and 0.999: steady from the first step.',
    optimizer: { ...plain, preconditioner: { damping: 1e-2, order: 'simultaneous' } },
  },
  {
    id: 'scaled-adamw-paper',
    name: 'Paper',
    method: 'scaled_adamw',
    about: 'The paper’s scaled AdamW: damping 1e-6 with quickly forgetting betas 0.7 and 0.8, lr 8e-4.',
    optimizer: {
      ...plain,
      lr: 8e-4,
      betas: [0.7, 0.8],
      eps: 1e-6,
      preconditioner: { damping: 1e-6, order: 'simultaneous' },
    },
  },
  {
    id: 'sgd',
    name: 'Plain',
    method: 'sgd',
    about: 'Gradient descent; it needs a far larger lr than AdamW.',
    optimizer: { ...plain, rule: 'sgd', lr: 0.1, weight_decay: 0 },
  },
  {
    id: 'scaled-gd',
    name: 'Scaled',
    method: 'scaled_gd',
    about: 'The method that the paper’s theory is about: gradient descent on preconditioned gradients.',
    optimizer: {
      ...plain,
      rule: 'sgd',
      lr: 0.01,
      weight_decay: 0,
      preconditioner: { damping: 1e-2, order: 'simultaneous' },
    },
  },
];

/** Which method these settings are. */
export function methodOf(optimizer: OptimizerSettings): Method {
  if (optimizer.rule === 'adamw') return optimizer.preconditioner === null ? 'adamw' : 'scaled_adamw';
  return optimizer.preconditioner === null ? 'sgd' : 'scaled_gd';
}

/** The presets of a method; there is at least one. */
export function presetsOf(method: Method): readonly Preset[] {
  return presets.filter((preset) => preset.method === method);
}

/** The preset that these settings are, whatever their lr; undefined where they are the user's own. */
export function presetOf(optimizer: OptimizerSettings): Preset | undefined {
  const words = (settings: OptimizerSettings) => JSON.stringify({ ...sorted(settings), lr: 0 });
  const exact = presets.filter((preset) => words(preset.optimizer) === words(optimizer));
  return exact.find((preset) => preset.optimizer.lr === optimizer.lr) ?? exact[0];
}

/** One order of keys, so that equal settings have equal words. */
function sorted(settings: OptimizerSettings): OptimizerSettings {
  const { rule, preconditioner, lr, lr_ratio_b, betas, eps, weight_decay, max_grad_norm, schedule } =
    settings;
  return {
    rule,
    preconditioner:
      preconditioner === null ? null : { damping: preconditioner.damping, order: preconditioner.order },
    lr,
    lr_ratio_b,
    betas: [betas[0], betas[1]],
    eps,
    weight_decay,
    max_grad_norm,
    schedule: { warmup_steps: schedule.warmup_steps, decay: schedule.decay },
  };
}

/** A sentence of warning about settings that are allowed but known to go wrong. */
export function warningAbout(optimizer: OptimizerSettings): string {
  const { preconditioner, rule, betas } = optimizer;
  if (preconditioner === null || rule !== 'adamw') return '';
  if (preconditioner.damping >= 1e-4 || betas[1] < 0.99) return '';
  return (
    `lora_b starts at 0, so damping ${preconditioner.damping} makes the first gradients of lora_a huge, and ` +
    `betas with ${betas[1]} remember them for long: lora_a would hardly move. Take damping 1e-2, or betas 0.7 and 0.8.`
  );
}
