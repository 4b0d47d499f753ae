import type { Target } from '../protocol';

// Both lists are in the order of `Target::ALL` in src/model/target.rs.

/** Layers of a block that can carry adapters in every base. */
export const commonTargets: readonly Target[] = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
];

/** Those that only some bases have. */
export const otherTargets: readonly Target[] = [
  'c_attn',
  'qkv_proj',
  'gate_up_proj',
  'query_key_value',
  'dense',
  'dense_h_to_4h',
  'dense_4h_to_h',
];

/** All of them. */
export const allTargets: readonly Target[] = [...commonTargets, ...otherTargets];
