import type { Method, OptimizerSettings } from '../protocol';

/** What each method is called. */
export const methodNames: Record<Method, string> = {
  sgd: 'SGD',
  scaled_gd: 'Scaled GD',
  adamw: 'AdamW',
  scaled_adamw: 'Scaled AdamW',
  lora_plus: 'LoRA+',
  lora_fa: 'LoRA-FA',
  alt_lora: 'AltLoRA',
  alt_lora_plus: 'AltLoRA+',
  muon: 'Muon',
  lora_muon: 'LoRA-Muon',
};

/** All methods, in the order of the page. */
export const methods = Object.keys(methodNames) as Method[];

/**
 * Which method these settings are. The rule of Muon decides first, with its metric; then the trained factors decide, then
 * the preconditioner, which a larger lr of lora_b does not hide.
 */
export function methodOf(optimizer: OptimizerSettings): Method {
  const { rule, trains, preconditioner, lr_ratio_b: ratio } = optimizer;
  if (rule === 'muon') return preconditioner === null ? 'muon' : 'lora_muon';
  if (trains === 'b') return 'lora_fa';
  if (preconditioner !== null) {
    if (trains === 'alternating') return rule === 'adamw' ? 'alt_lora_plus' : 'alt_lora';
    return rule === 'adamw' ? 'scaled_adamw' : 'scaled_gd';
  }
  if (rule === 'sgd') return 'sgd';
  return ratio === 1 ? 'adamw' : 'lora_plus';
}
