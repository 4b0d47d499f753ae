import type { Decay, OptimizerSettings, Order } from '../protocol';
import { h } from './dom';
import { choiceField, numberField } from './field';

type Edit = (change: (optimizer: OptimizerSettings) => void) => void;

/** The hyper-parameters that are seldom changed. */
export function runDetails(index: number, edit: Edit) {
  const at = (field: string) => `runs.${index}.${field}`;
  const number = (
    field: string,
    label: string,
    help: string,
    set: (settings: OptimizerSettings, value: number) => void,
  ) =>
    numberField({
      label,
      help,
      field: at(field),
      onInput: (value) => edit((settings) => set(settings, value)),
    });
  const beta = (which: 0 | 1, help: string) =>
    number(which === 0 ? 'betas' : 'betas.1', `Beta ${which + 1}`, help, (settings, value) => {
      settings.betas[which] = value;
    });
  const beta1 = beta(0, 'How much of the past AdamW’s mean gradient keeps at each step.');
  const beta2 = beta(1, 'How much of the past AdamW’s mean squared gradient keeps at each step.');
  const eps = number(
    'eps',
    'eps',
    'Added to the root of the mean squared gradient, so that nothing is divided by 0.',
    (settings, value) => {
      settings.eps = value;
    },
  );
  const decay = number(
    'weight_decay',
    'weight_decay',
    'The adapters shrink by lr × weight_decay in every step.',
    (settings, value) => {
      settings.weight_decay = value;
    },
  );
  const damping = number(
    'damping',
    'damping δ',
    'Added to the diagonal of BᵀB and AAᵀ before they are inverted; large values make the method plain.',
    (settings, value) => {
      if (settings.preconditioner !== null) settings.preconditioner.damping = value;
    },
  );
  const ratio = number(
    'lr_ratio_b',
    'lr of lora_b ÷ lora_a',
    'lora_b learns so many times faster than lora_a; LoRA+ takes 16, all else 1.',
    (settings, value) => {
      settings.lr_ratio_b = value;
    },
  );
  const clip = numberField({
    label: 'max_grad_norm',
    help: 'Gradients whose global norm is larger are shortened to it, before preconditioning; empty never.',
    field: at('max_grad_norm'),
    placeholder: 'none',
    onInput: (value) =>
      edit((settings) => {
        settings.max_grad_norm = Number.isNaN(value) ? null : value;
      }),
  });
  const warmup = number(
    'warmup_steps',
    'Warm-up steps',
    'Steps over which lr rises from 0.',
    (settings, value) => {
      settings.schedule.warmup_steps = value;
    },
  );
  const shape = choiceField<Decay>({
    label: 'Then lr',
    help: 'What lr does after the warm-up, until the last step.',
    choices: [
      ['constant', 'stays'],
      ['linear', 'falls linearly'],
      ['cosine', 'falls as a cosine'],
    ],
    onInput: (value) =>
      edit((settings) => {
        settings.schedule.decay = value;
      }),
  });
  const order = choiceField<Order>({
    label: 'Order',
    help: 'Whether lora_b’s Gram matrix AAᵀ is of lora_a before the step, or after it as in the paper’s code.',
    choices: [
      ['simultaneous', 'simultaneous'],
      ['sequential', 'sequential'],
    ],
    onInput: (value) =>
      edit((settings) => {
        if (settings.preconditioner !== null) settings.preconditioner.order = value;
      }),
  });
  const fields = [damping, order, beta1, beta2, eps, decay, ratio, clip, warmup, shape];
  const element = h('div', { class: 'fields narrow' }, ...fields.map((field) => field.element));
  const show = (settings: OptimizerSettings) => {
    const { preconditioner, rule } = settings;
    for (const field of [damping, order]) field.element.hidden = preconditioner === null;
    for (const field of [beta1, beta2, eps]) field.element.hidden = rule === 'sgd';
    damping.show(preconditioner?.damping ?? null);
    order.show(preconditioner?.order ?? 'simultaneous');
    beta1.show(settings.betas[0]);
    beta2.show(settings.betas[1]);
    eps.show(settings.eps);
    decay.show(settings.weight_decay);
    ratio.show(settings.lr_ratio_b);
    clip.show(settings.max_grad_norm);
    warmup.show(settings.schedule.warmup_steps);
    shape.show(settings.schedule.decay);
  };
  return { element, show };
}
