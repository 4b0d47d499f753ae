import { above0, between, seeds, whole } from '../config/range';
import type { NumberSetting, Setting } from '../config/setting';
import type { TheoryMethod, TheorySettings } from '../protocol';
import { LARGEST_CONDITION, methods, problemNames, RANKS, startNames, theoryMethodNames } from './config';

const [LOWEST_RANK, HIGHEST_RANK] = RANKS;
const conditions = between(1, LARGEST_CONDITION);

/** What a problem is made of, in the order of the page. A link names each as its field. */
export const problemSettings: readonly Setting<TheorySettings>[] = [
  {
    kind: 'choice',
    field: 'problem',
    label: 'Problem',
    help: 'A network Σ Dᵢ X (Wᵢ + BᵢAᵢ)ᵀ with sampled activation patterns Dᵢ, one matrix X (BA)ᵀ, or a network whose patterns share no row.',
    at: 'problem.problem',
    choices: Object.entries(problemNames),
  },
  {
    kind: 'choice',
    field: 'start',
    label: 'Start',
    help: 'B = 0 as LoRA does, or the best low-rank approximation of Xᵢᵀ T, which the theorem starts from.',
    at: 'problem.start',
    choices: Object.entries(startNames),
  },
  {
    kind: 'number',
    field: 'factor_condition',
    label: 'Condition of R',
    help: 'Methods start from BR and R⁻¹A, which is the same product in other factors; at 1 from B and A themselves. A method that does not see how the product is split takes the same path.',
    at: 'problem.factor_condition',
    range: conditions,
    slider: { low: 1, high: LARGEST_CONDITION, log: true },
  },
  {
    kind: 'number',
    field: 'planted_condition',
    label: 'Condition of the change',
    help: 'Largest over smallest singular value of the planted low-rank change that the adapters must find.',
    at: 'problem.planted_condition',
    range: conditions,
    slider: { low: 1, high: LARGEST_CONDITION, log: true },
  },
  {
    kind: 'number',
    field: 'data_condition',
    label: 'Condition of the data',
    help: 'Largest over smallest singular value of the data matrix X.',
    at: 'problem.data_condition',
    range: conditions,
    slider: { low: 1, high: LARGEST_CONDITION, log: true },
  },
  {
    kind: 'number',
    field: 'rank',
    label: 'Rank',
    help: 'Rank of the planted change and of the adapters; X has 12 columns and the target 10.',
    at: 'problem.rank',
    range: whole(
      LOWEST_RANK,
      HIGHEST_RANK,
      `a whole number from ${LOWEST_RANK} to ${HIGHEST_RANK}, the number of outputs`,
    ),
    slider: { low: LOWEST_RANK, high: HIGHEST_RANK, log: false },
  },
  {
    kind: 'number',
    field: 'seed',
    label: 'Seed',
    help: 'Decides data, patterns, planted change and start: the same seed gives the same curves on every machine.',
    at: 'problem.seed',
    range: seeds,
  },
];

/** Whether rates are those that are set, or the best of many. */
export const rateChoice: Setting<TheorySettings> = {
  kind: 'choice',
  field: 'lr',
  label: 'Learning rates',
  help: 'Best of a grid tries 32 rates for each method and shows its fastest, so that methods are compared best against best.',
  at: 'best_of_grid',
  choices: [
    ['own', 'as set here'],
    ['grid', 'best of a grid'],
  ],
  form: { shown: (best) => (best === true ? 'grid' : 'own'), kept: (shown) => shown === 'grid' },
};

const rateHelp: Record<TheoryMethod, string> = {
  gd: 'Step of gradient descent on lora_a and lora_b.',
  scaled_gd: 'Step after G_A ← (BᵀB)⁻¹ G_A and G_B ← G_B (AAᵀ)⁻¹, the paper’s preconditioner.',
  data_scaled_gd:
    'Step in a metric that also knows the data: G_A ← (BᵀB)⁻¹ G_A S⁻¹ and G_B ← G_B (A S Aᵀ)⁻¹ with S = XᵢᵀXᵢ; our variant, not the paper’s.',
  tangent_gd:
    'Step after scaled GD without half of what the steps of both factors do to the product, which otherwise counts twice; together they project the gradient on the tangent space of matrices of rank r. Not in the paper.',
};

/** The learning rate of each method. */
export const rateSettings: readonly NumberSetting<TheorySettings>[] = methods.map((method) => ({
  kind: 'number',
  field: `lr.${method}`,
  label: `${theoryMethodNames[method]}: lr`,
  help: rateHelp[method],
  name: 'Learning rate',
  at: `lr.${method}`,
  range: above0(),
  slider: { low: 1e-3, high: 10, log: true },
}));
