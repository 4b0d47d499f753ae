import type { Target } from '../protocol';

// In the order of `Target::ALL` in src/model/target.rs, whose streams these are.
const ofAllBases: readonly Target[] = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
];
const ofSomeBases: readonly Target[] = [
  'c_attn',
  'qkv_proj',
  'gate_up_proj',
  'query_key_value',
  'dense',
  'dense_h_to_4h',
  'dense_4h_to_h',
];

/** Random streams of the first `lora_a`: that of a layer's first block, and the way to the next block's. */
export function factorStreams(target: Target): readonly [first: number, step: number] {
  const place = ofAllBases.indexOf(target);
  if (place >= 0) return [place, ofAllBases.length];
  return [2 ** 31 + ofSomeBases.indexOf(target) * 2 ** 21, 1];
}
