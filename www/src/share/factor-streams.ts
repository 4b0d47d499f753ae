import { commonTargets, otherTargets } from '../config/targets';
import type { Target } from '../protocol';

/** Random streams of the first `lora_a`, as src/model/target.rs numbers them: that of a layer's first block, and the way to the next block's. */
export function factorStreams(target: Target): readonly [first: number, step: number] {
  const place = commonTargets.indexOf(target);
  if (place >= 0) return [place, commonTargets.length];
  return [2 ** 31 + otherTargets.indexOf(target) * 2 ** 21, 1];
}
