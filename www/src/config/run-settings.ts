import type { RunConfig } from './config';
import { above0, from0, share, whole } from './range';
import type { NumberSetting, Setting, TextSetting } from './setting';

/** What a run is called. */
export const runName: TextSetting<RunConfig> = {
  kind: 'text',
  field: 'name',
  label: 'Name',
  help: 'What this run is called in charts and tables.',
  class: 'run-name',
  at: 'name',
};

/** How far one step of a run goes. */
export const runLr: NumberSetting<RunConfig> = {
  kind: 'number',
  field: 'lr',
  label: 'lr',
  help: 'Learning rate: how far one step goes. Each method has its best at another rate.',
  at: 'optimizer.lr',
  range: from0(),
};

/** The same in the text encoder of a text-to-image model. */
export const runTextLr: NumberSetting<RunConfig> = {
  kind: 'number',
  field: 'text_lr',
  label: 'lr of words',
  help: 'Learning rate of the adapters in the text encoder, which reads the captions; empty is that of all.',
  at: 'text_lr',
  empty: 'the same',
  range: from0('a number, 0 or more, or empty'),
};

const isPreconditioned = ({ optimizer }: RunConfig) => optimizer.preconditioner !== null;
const isAdam = ({ optimizer }: RunConfig) => optimizer.rule === 'adamw';
// Muon's steps are orthogonal in the metric itself.
const isMultiplied = (run: RunConfig) => isPreconditioned(run) && run.optimizer.rule !== 'muon';

/** The hyper-parameters of a run that are seldom changed, in the order of the page. */
export const runDetails: readonly Setting<RunConfig>[] = [
  {
    kind: 'number',
    field: 'damping',
    label: 'damping δ',
    help: 'Added to the diagonal of BᵀB and AAᵀ before they are inverted; large values make the method plain.',
    name: 'damping',
    at: 'optimizer.preconditioner.damping',
    range: above0('above 0: lora_b starts at 0 and BᵀB alone has no inverse'),
    matters: isPreconditioned,
  },
  {
    kind: 'choice',
    field: 'damping_kind',
    label: 'δ is',
    help: 'Whether δ is added as it is, as in the paper, or as a share of a mean eigenvalue: of the BᵀB or AAᵀ that it is added to, or of the layer’s AAᵀ at the start, of which PEFT’s 1e-2 is a share of 0.03.',
    at: 'optimizer.preconditioner.damping_kind',
    choices: [
      ['absolute', 'absolute'],
      ['relative', 'a share, of now'],
      ['initial', 'a share, of the start'],
    ],
    matters: isPreconditioned,
  },
  {
    kind: 'choice',
    field: 'order',
    label: 'Order',
    help: 'Whether lora_b’s Gram matrix AAᵀ is of lora_a before the step, or after it as in the paper’s code.',
    at: 'optimizer.preconditioner.order',
    choices: [
      ['simultaneous', 'simultaneous'],
      ['sequential', 'sequential'],
    ],
    // Where the factors do not move together, lora_a is the same before and after a step of lora_b.
    matters: (run) => isPreconditioned(run) && run.optimizer.trains === 'both',
  },
  {
    kind: 'switch',
    field: 'scale_aware',
    label: 'Scale-aware',
    help: 'Divides preconditioned gradients by s², the square of the adapters’ scale, so that lr itself is the rate of the step on ΔW, at every alpha and rank.',
    at: 'optimizer.preconditioner.scale_aware',
    matters: isPreconditioned,
  },
  {
    kind: 'choice',
    field: 'place',
    label: 'Multiplies',
    help: 'What is multiplied by the inverses: the gradient before AdamW or momentum sees it, as the paper trains, or the update that they make, as the paper’s Theorem 4.1 is proved. Gradient descent without momentum is the same either way.',
    at: 'optimizer.preconditioner.place',
    choices: [
      ['gradient', 'the gradient'],
      ['update', 'the update'],
    ],
    matters: (run) => isMultiplied(run) && (isAdam(run) || run.optimizer.momentum > 0),
  },
  {
    kind: 'switch',
    field: 'tangent',
    label: 'Tangent',
    help: 'Takes off half of what the steps of lora_a and lora_b both do to ΔW, which otherwise counts twice: together they are then the projection on the tangent space of matrices of rank r.',
    at: 'optimizer.preconditioner.tangent',
    matters: (run) => isMultiplied(run) && run.optimizer.trains === 'both',
  },
  {
    kind: 'switch',
    field: 'realigns_momentum',
    label: 'Realign momentum',
    help: 'Carries the mean gradient of each factor into the basis of the other one whenever that has moved, as AltLoRA does; without it momentum mixes directions of different bases.',
    at: 'optimizer.preconditioner.realigns_momentum',
    matters: (run) =>
      isMultiplied(run) &&
      run.optimizer.preconditioner?.place === 'gradient' &&
      (isAdam(run) || run.optimizer.momentum > 0),
  },
  {
    kind: 'number',
    field: 'betas',
    label: 'Beta 1',
    help: 'How much of the past AdamW’s mean gradient keeps at each step.',
    at: 'optimizer.betas.0',
    range: share,
    matters: isAdam,
  },
  {
    kind: 'number',
    field: 'betas.1',
    label: 'Beta 2',
    help: 'How much of the past AdamW’s mean squared gradient keeps at each step.',
    at: 'optimizer.betas.1',
    range: share,
    matters: isAdam,
  },
  {
    kind: 'number',
    field: 'eps',
    label: 'eps',
    help: 'Added to the root of the mean squared gradient, so that nothing is divided by 0.',
    at: 'optimizer.eps',
    range: above0(),
    matters: isAdam,
  },
  {
    kind: 'number',
    field: 'momentum',
    label: 'momentum',
    help: 'How much of its last update a step adds to its own; 0 forgets at once.',
    at: 'optimizer.momentum',
    range: share,
    matters: (run) => !isAdam(run),
  },
  {
    kind: 'choice',
    field: 'trains',
    label: 'Trains',
    help: 'Which factors move: both in every step, lora_b alone as in LoRA-FA, or lora_b and lora_a in turns as in AltLoRA.',
    at: 'optimizer.trains',
    choices: [
      ['both', 'both factors'],
      ['b', 'lora_b only'],
      ['alternating', 'in turns'],
    ],
    // With one factor there is nothing to be in a ratio to, and no hidden one may act.
    after: ({ optimizer }) => {
      if (optimizer.trains === 'b') optimizer.lr_ratio_b = 1;
    },
  },
  {
    kind: 'number',
    field: 'lr_ratio_b',
    label: 'lr of B ÷ A',
    help: 'lora_b learns so many times faster than lora_a; LoRA+ takes 16, all else 1.',
    name: 'lr_ratio_b',
    at: 'optimizer.lr_ratio_b',
    range: from0(),
    matters: ({ optimizer }) => optimizer.trains !== 'b' || optimizer.lr_ratio_b !== 1,
  },
  {
    kind: 'number',
    field: 'weight_decay',
    label: 'weight_decay',
    help: 'The adapters shrink by lr × weight_decay in every step.',
    at: 'optimizer.weight_decay',
    range: from0(),
  },
  {
    kind: 'number',
    field: 'max_grad_norm',
    label: 'max_grad_norm',
    help: 'Gradients whose global norm is larger are shortened to it, before preconditioning; empty never.',
    at: 'optimizer.max_grad_norm',
    empty: 'none',
    range: above0('above 0, or empty'),
  },
  {
    kind: 'number',
    field: 'max_step_a',
    label: 'max_step_a',
    help: 'Steps of a layer’s lora_a that are longer than this share of its norm are shortened to it, after preconditioning; empty never. It bounds the second step of scaled GD, which clipping cannot: lora_b was 0 a step before.',
    at: 'optimizer.max_step_a',
    empty: 'none',
    range: above0('above 0, or empty'),
    matters: ({ optimizer }) => optimizer.trains !== 'b',
  },
  {
    kind: 'number',
    field: 'warmup_steps',
    label: 'Warm-up steps',
    help: 'Steps over which lr rises from 0.',
    at: 'optimizer.schedule.warmup_steps',
    range: whole(0, 100_000, 'a whole number, 0 or more'),
  },
  {
    kind: 'choice',
    field: 'decay',
    label: 'Then lr',
    help: 'What lr does after the warm-up, until the last step.',
    at: 'optimizer.schedule.decay',
    choices: [
      ['constant', 'stays'],
      ['linear', 'falls linearly'],
      ['cosine', 'falls as a cosine'],
    ],
  },
];

/** All settings of a run. */
export const runSettings: readonly Setting<RunConfig>[] = [runName, runLr, runTextLr, ...runDetails];
