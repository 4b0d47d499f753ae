import type { OptimizerSettings } from '../protocol';

// Above, the first gradients of lora_a stay small enough for AdamW's usual memory.
const SAFE_DAMPING = 1e-4;
// Below, AdamW forgets them soon enough.
const LONG_MEMORY = 0.99;

/** A sentence of warning about settings that are allowed but known to go wrong. */
export function warningAbout(optimizer: OptimizerSettings): string {
  const { preconditioner, rule, trains, betas } = optimizer;
  if (preconditioner === null || rule !== 'adamw' || trains === 'b') return '';
  if (preconditioner.place === 'update') return '';
  const { damping, damping_kind: kind } = preconditioner;
  const small = kind === 'relative' || damping < SAFE_DAMPING;
  if (!small || betas[1] < LONG_MEMORY) return '';
  const cause =
    kind === 'relative' ? 'a damping relative to BᵀB is next to nothing at first and' : `damping ${damping}`;
  return (
    `lora_b starts at 0, so ${cause} makes the first gradients of lora_a huge, and betas with ${betas[1]} ` +
    `remember them for long: lora_a would hardly move. Take an absolute damping of 1e-2, or betas 0.7 and 0.8.`
  );
}
