import type { LayerQuantity } from '../../metrics/layer-track';

/** How a number of a layer is told to the user, and drawn. */
interface LayerWords {
  name: string;
  /** What it is, and what to look for. */
  about: string;
  /** Equal ratios get equal steps of colour. */
  log: boolean;
  /** What the colours span, where that is known beforehand. */
  span?: readonly [number, number];
  /** Whether the change since the first step is drawn. */
  fromStart?: boolean;
}

const plain = 'For plain runs δ is the paper’s 1e-6, for measurement only.';

export const layerWords: Record<LayerQuantity, LayerWords> = {
  condition_a: {
    name: 'Condition number of BᵀB + δI',
    about: `How unevenly the directions of lora_b are scaled, which lora_a’s gradient is multiplied by. ${plain}`,
    log: true,
  },
  condition_b: {
    name: 'Condition number of AAᵀ + δI',
    about: `How unevenly the directions of lora_a are scaled, which lora_b’s gradient is multiplied by. ${plain}`,
    log: true,
  },
  undamped_a: {
    name: 'σ² / (σ² + δ) of lora_b',
    about:
      'Mean over lora_b’s singular values σ: how much of a full-matrix step the preconditioned step of lora_a makes. 0 while ' +
      `lora_b is 0; near 1 where δ no longer counts. ${plain}`,
    log: false,
    span: [0, 1],
  },
  norm_a: { name: 'Norm of lora_a', about: 'Which layers’ lora_a grows, and when.', log: true },
  norm_b: {
    name: 'Norm of lora_b',
    about: 'Which layers learn: lora_b starts at 0, which has no colour.',
    log: true,
  },
  norm_delta: {
    name: 'Norm of ΔW',
    about: 'How far each layer is from the base; 0 at the start, which has no colour.',
    log: true,
  },
  log_det_ratio: {
    name: 'Departure from the flow',
    about:
      'How far log det(AAᵀ + δI) − log det(BᵀB + δI) is from what it was at the first step, up or down. Scaled gradient ' +
      'descent conserves it in the limit of small steps: where it moves, steps are large. Other methods move it anyway.',
    log: false,
    fromStart: true,
  },
};
