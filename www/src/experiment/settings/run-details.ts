import { h } from '../../controls/dom';
import { choiceField, numberField, showWhere, switchField } from '../../controls/field';
import type {
  DampingKind,
  Decay,
  OptimizerSettings,
  Order,
  PreconditionerSettings,
  TrainedFactors,
} from '../../protocol';

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
  const editPreconditioner = (change: (preconditioner: PreconditionerSettings) => void) =>
    edit(({ preconditioner }) => {
      if (preconditioner !== null) change(preconditioner);
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
  const momentum = number(
    'momentum',
    'momentum',
    'How much of its last update a step adds to its own; 0 forgets at once.',
    (settings, value) => {
      settings.momentum = value;
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
  const trains = choiceField<TrainedFactors>({
    label: 'Trains',
    help: 'Which factors move: both in every step, lora_b alone as in LoRA-FA, or lora_b and lora_a in turns as in AltLoRA.',
    field: at('trains'),
    choices: [
      ['both', 'both factors'],
      ['b', 'lora_b only'],
      ['alternating', 'in turns'],
    ],
    onInput: (value) =>
      edit((settings) => {
        settings.trains = value;
        // With one factor there is nothing to be in a ratio to, and no hidden one may act.
        if (value === 'b') settings.lr_ratio_b = 1;
      }),
  });
  const damping = numberField({
    label: 'damping δ',
    help: 'Added to the diagonal of BᵀB and AAᵀ before they are inverted; large values make the method plain.',
    field: at('damping'),
    onInput: (value) =>
      editPreconditioner((preconditioner) => {
        preconditioner.damping = value;
      }),
  });
  const kind = choiceField<DampingKind>({
    label: 'δ is',
    help: 'Whether δ is added as it is, as in the paper, or as a share of the mean eigenvalue of BᵀB or AAᵀ.',
    field: at('damping_kind'),
    choices: [
      ['absolute', 'absolute'],
      ['relative', 'relative'],
    ],
    onInput: (value) =>
      editPreconditioner((preconditioner) => {
        preconditioner.damping_kind = value;
      }),
  });
  const scaleAware = switchField({
    label: 'Scale-aware',
    help: 'Divides preconditioned gradients by (alpha / rank)², so that one lr moves ΔW equally at every alpha / rank.',
    field: at('scale_aware'),
    onInput: (value) =>
      editPreconditioner((preconditioner) => {
        preconditioner.scale_aware = value;
      }),
  });
  const ratio = number(
    'lr_ratio_b',
    'lr of B ÷ A',
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
        settings.max_grad_norm = value;
      }),
    onEmpty: () =>
      edit((settings) => {
        settings.max_grad_norm = null;
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
    field: at('decay'),
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
    field: at('order'),
    choices: [
      ['simultaneous', 'simultaneous'],
      ['sequential', 'sequential'],
    ],
    onInput: (value) =>
      editPreconditioner((preconditioner) => {
        preconditioner.order = value;
      }),
  });
  const ofPreconditioner = [damping, kind, order, scaleAware];
  const ofRule = [beta1, beta2, eps, momentum];
  const fields = [...ofPreconditioner, ...ofRule, trains, ratio, decay, clip, warmup, shape];
  const element = h('div', { class: 'fields narrow' }, ...fields.map((field) => field.element));
  const show = (settings: OptimizerSettings) => {
    const { preconditioner, rule } = settings;
    for (const field of [damping, kind, scaleAware]) showWhere(field, preconditioner !== null);
    // Where the factors do not move together, lora_a is the same before and after a step of lora_b.
    showWhere(order, preconditioner !== null && settings.trains === 'both');
    for (const field of [beta1, beta2, eps]) showWhere(field, rule === 'adamw');
    showWhere(momentum, rule !== 'adamw');
    showWhere(ratio, settings.trains !== 'b' || settings.lr_ratio_b !== 1);
    damping.show(preconditioner?.damping ?? null);
    kind.show(preconditioner?.damping_kind ?? 'absolute');
    order.show(preconditioner?.order ?? 'simultaneous');
    scaleAware.show(preconditioner?.scale_aware ?? false);
    momentum.show(settings.momentum);
    trains.show(settings.trains);
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
