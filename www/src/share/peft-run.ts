import { methodNames, methodOf } from '../config/methods';
import type { OptimizerSettings } from '../protocol';
import { python } from './python';

/** Python that makes a run's optimizer, or why PEFT and torch have none that is the same. */
export type PeftRun = { optimizer: string } | { skipped: string };

/** What Python calls numbers that are told elsewhere in a script; what has no name is written out. */
export interface PeftNames {
  lr?: string;
  damping?: string;
}

/** A run's optimizer in terms of torch and PEFT. */
export function peftRun(optimizer: OptimizerSettings, names: PeftNames = {}): PeftRun {
  const { rule, trains, preconditioner, lr, lr_ratio_b: ratio, momentum, weight_decay: decay } = optimizer;
  const name = methodNames[methodOf(optimizer)];
  if (rule === 'muon')
    return { skipped: `PEFT has no Muon on LoRA factors, so ${name} has no equivalent here` };
  if (trains === 'alternating') {
    return {
      skipped: `PEFT trains both factors in every step, so ${name}, which alternates, has no equivalent`,
    };
  }
  if (optimizer.max_step_a !== null)
    return { skipped: 'neither torch nor PEFT has max_step_a, a longest step of lora_A over its norm' };
  const own =
    rule === 'adamw'
      ? [`betas=(${optimizer.betas.map(python).join(', ')})`, `eps=${python(optimizer.eps)}`]
      : momentum > 0
        ? [`momentum=${python(momentum)}`]
        : [];
  // torch's SGD adds its decay to the momentum; the page's shrinks the factors beside it.
  const kind =
    rule === 'adamw' ? 'torch.optim.AdamW' : momentum > 0 && decay > 0 ? 'DecoupledSGD' : 'torch.optim.SGD';
  const rate = `lr=${names.lr ?? python(lr)}`;
  const weights = `weight_decay=${python(decay)}`;
  if (preconditioner === null) {
    if (trains === 'b') return { optimizer: call(kind, ['lora_b_of(model)', rate, ...own, weights]) };
    if (ratio !== 1) {
      const ratios = [`loraplus_lr_ratio=${python(ratio)}`, `loraplus_weight_decay=${python(decay)}`];
      return { optimizer: call('create_loraplus_optimizer', ['model', kind, rate, ...ratios, ...own]) };
    }
    return { optimizer: call(kind, ['trained(model)', rate, ...own, weights]) };
  }
  const missing = whatIsMissing(optimizer);
  if (missing !== '') return { skipped: `PEFT's create_riemannian_optimizer has no ${missing}` };
  const damping = `reg=${names.damping ?? python(preconditioner.damping)}`;
  return { optimizer: call('create_riemannian_optimizer', ['model', kind, rate, damping, ...own, weights]) };
}

/** What of a preconditioned run PEFT does not have; empty where it has all. */
function whatIsMissing(optimizer: OptimizerSettings): string {
  const { preconditioner, trains, rule, momentum, lr_ratio_b: ratio } = optimizer;
  if (preconditioner === null) return '';
  if (trains === 'b') return 'way to train lora_B alone';
  if (preconditioner.order === 'sequential')
    return 'sequential order: both Gram matrices are from before the step';
  if (preconditioner.damping_kind !== 'absolute') return 'damping by a share of eigenvalues';
  if (preconditioner.scale_aware) return 'division by (alpha / r)²';
  if (preconditioner.place === 'update' && (rule === 'adamw' || momentum > 0))
    return 'preconditioning of updates in place of gradients';
  if (preconditioner.tangent) return 'projection on the tangent space';
  if (preconditioner.realigns_momentum && (rule === 'adamw' || momentum > 0))
    return 'momentum that is carried from one basis into the next';
  if (ratio !== 1) return 'learning rate of its own for lora_B';
  return '';
}

function call(name: string, values: string[]): string {
  return `${name}(${values.join(', ')})`;
}
