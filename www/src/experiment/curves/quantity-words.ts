import type { Quantity } from '../../metrics/quantities';

/** How a quantity is told to the user. */
interface QuantityWords {
  name: string;
  /** What it is, and what to look for. */
  about: string;
  /** Whether it jumps from batch to batch, so that smoothing helps. */
  noisy: boolean;
}

const uneven =
  'Largest over smallest eigenvalue, in the layer where it is largest: how unevenly the factor’s directions are ' +
  'scaled. Near 1 all directions learn alike; where it is large, a plain run learns along few of them, and a ' +
  'preconditioned one evens them out. For plain runs δ is the paper’s 1e-6, for measurement only.';

export const quantityWords: Record<Quantity, QuantityWords> = {
  grad_norm: {
    name: 'Gradient norm',
    about:
      'Length of the raw gradient of all factors together, before clipping and preconditioning. It falls as a run ' +
      'settles; a steady climb often comes before a run diverges.',
    noisy: true,
  },
  norm_a: {
    name: 'Norm of lora_a',
    about:
      'Length of all lora_a together, before the step’s update. It starts at the same random draw for all runs; a ' +
      'flat curve is a lora_a that hardly learns, or is frozen.',
    noisy: false,
  },
  norm_b: {
    name: 'Norm of lora_b',
    about:
      'Length of all lora_b together, before the step’s update. It starts at 0, which a log axis cannot show, and ' +
      'grows fast at first; a run that trains it alone or mostly shows here how far it goes.',
    noisy: false,
  },
  norm_delta: {
    name: 'Norm of ΔW',
    about:
      'Length of all ΔW = alpha / rank · lora_b · lora_a together, before the step’s update: how far the model is ' +
      'from the base. Of two runs with one loss, the one with the smaller ΔW changed less to get there.',
    noisy: false,
  },
  condition_a: {
    name: 'Condition number of BᵀB + δI',
    about: `What lora_a’s gradient is preconditioned with. ${uneven}`,
    noisy: false,
  },
  condition_b: {
    name: 'Condition number of AAᵀ + δI',
    about: `What lora_b’s gradient is preconditioned with. ${uneven}`,
    noisy: false,
  },
  update_ratio: {
    name: 'Update-to-weight ratio',
    about:
      'Length of the step’s update over the length of the factors. As a rule of thumb, 1e-3 is healthy; far above it a run is ' +
      'restless, far below it hardly moves.',
    noisy: true,
  },
  log_det_ratio: {
    name: 'log det(AAᵀ + δI) − log det(BᵀB + δI)',
    about:
      'Mean over layers, before the step’s update. In the limit of small steps scaled gradient descent keeps it as it ' +
      'is, whatever the loss: so a flat curve is a run that follows the flow, and how far one departs says how large ' +
      'its steps are. Other methods move it in the flow, too. Measured where Diagnostics are also by layer.',
    noisy: false,
  },
  lr: {
    name: 'Learning rate',
    about:
      'Of lora_a, after warm-up and decay; lora_b’s is that times its ratio. A warm-up starts at 0, so its first step ' +
      'changes nothing.',
    noisy: false,
  },
};
