import type { TheoryMethod, TheoryProblemKind, TheorySettings, TheoryStart } from '../protocol';

/** In the order in which they are shown; the index is the look of the curve. */
export const methods: readonly TheoryMethod[] = ['gd', 'scaled_gd', 'data_scaled_gd', 'tangent_gd'];

/** Names of the methods. */
export const theoryMethodNames: Record<TheoryMethod, string> = {
  gd: 'GD',
  scaled_gd: 'Scaled GD',
  data_scaled_gd: 'Data-scaled GD',
  tangent_gd: 'Tangent GD',
};

/** What can be solved, by its name on the page. */
export const problemNames: Record<TheoryProblemKind, string> = {
  two_layer_relu: 'Two-layer ReLU network',
  low_rank_recovery: 'Low-rank recovery',
  disjoint_patterns: 'As the theorem assumes',
};

/** Where adapters start, by its name on the page. */
export const startNames: Record<TheoryStart, string> = { lora: 'LoRA: B = 0', spectral: 'Spectral' };

/** Relative error that counts as found, and iterations after which a method has not arrived: as in src/theory. */
export const TARGET = '1e-6';
export const MOST_ITERATIONS = 3000;

/** The ranges of src/theory/settings.rs. */
export const LARGEST_CONDITION = 1000;
export const RANKS = [2, 10] as const;

/** Rates with which all methods arrive on the easy problem. */
export function defaultTheory(): TheorySettings {
  return {
    problem: {
      problem: 'two_layer_relu',
      planted_condition: 10,
      data_condition: 1,
      rank: 2,
      start: 'lora',
      factor_condition: 1,
      damping: 1e-6,
      seed: 0,
    },
    lr: { gd: 0.4, scaled_gd: 0.4, data_scaled_gd: 0.4, tangent_gd: 0.4 },
    best_of_grid: false,
  };
}
