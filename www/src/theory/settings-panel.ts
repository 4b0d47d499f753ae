import { h } from '../controls/dom';
import { choiceField, type Field, numberField, sliderField } from '../controls/field';
import type { TheoryMethod, TheoryProblemKind, TheorySettings, TheoryStart } from '../protocol';
import { methodNames, methods, problemNames, RANKS, startNames } from './config';

const kinds = Object.entries(problemNames) as [TheoryProblemKind, string][];
const starts = Object.entries(startNames) as [TheoryStart, string][];

const rateChoices: readonly (readonly ['own' | 'grid', string])[] = [
  ['own', 'as set here'],
  ['grid', 'best of a grid'],
];

const rateHelp: Record<TheoryMethod, string> = {
  gd: 'Step of gradient descent on lora_a and lora_b.',
  scaled_gd: 'Step after G_A ← (BᵀB)⁻¹ G_A and G_B ← G_B (AAᵀ)⁻¹, the paper’s preconditioner.',
  data_scaled_gd:
    'Step in a metric that also knows the data: G_A ← (BᵀB)⁻¹ G_A S⁻¹ and G_B ← G_B (A S Aᵀ)⁻¹ with S = XᵢᵀXᵢ; our variant, not the paper’s.',
};

/** Everything that decides about a problem. Edits `settings` and says so. */
export function theoryControls(settings: TheorySettings, changed: () => void) {
  const { problem } = settings;
  const set = (edit: () => void) => {
    edit();
    changed();
  };
  const kind = choiceField({
    label: 'Problem',
    help: 'A network Σ Dᵢ X (Wᵢ + BᵢAᵢ)ᵀ with sampled activation patterns Dᵢ, one matrix X (BA)ᵀ, or a network whose patterns share no row.',
    choices: kinds,
    onInput: (value) => set(() => Object.assign(problem, { problem: value })),
  });
  const condition = (key: 'planted_condition' | 'data_condition', label: string, help: string) =>
    sliderField({
      label,
      help,
      field: key,
      low: 1,
      high: 1000,
      log: true,
      onInput: (value) =>
        set(() => {
          problem[key] = value;
        }),
    });
  const planted = condition(
    'planted_condition',
    'Condition of the change',
    'Largest over smallest singular value of the planted low-rank change that the adapters must find.',
  );
  const data = condition(
    'data_condition',
    'Condition of the data',
    'Largest over smallest singular value of the data matrix X.',
  );
  const rank = sliderField({
    label: 'Rank',
    help: 'Rank of the planted change and of the adapters; X has 12 columns and the target 10.',
    field: 'rank',
    low: RANKS[0],
    high: RANKS[1],
    log: false,
    onInput: (value) =>
      set(() => {
        problem.rank = value;
      }),
  });
  const start = choiceField({
    label: 'Start',
    help: 'B = 0 as LoRA does, or the best low-rank approximation of Xᵢᵀ T, which the theorem starts from.',
    choices: starts,
    onInput: (value) => set(() => Object.assign(problem, { start: value })),
  });
  const seed = numberField({
    label: 'Seed',
    help: 'Decides data, patterns, planted change and start: the same seed gives the same curves on every machine.',
    field: 'seed',
    onInput: (value) =>
      set(() => {
        problem.seed = value;
      }),
  });
  const choice = choiceField({
    label: 'Learning rates',
    help: 'Best of a grid tries 32 rates for each method and shows its fastest, so that methods are compared best against best.',
    choices: rateChoices,
    onInput: (value) =>
      set(() => {
        settings.best_of_grid = value === 'grid';
        rateFields.disabled = settings.best_of_grid;
      }),
  });
  const rates = methods.map((method): [TheoryMethod, Field<number | null>] => [
    method,
    sliderField({
      label: `${methodNames[method]}: lr`,
      help: rateHelp[method],
      field: `lr.${method}`,
      low: 1e-3,
      high: 10,
      log: true,
      onInput: (value) =>
        set(() => {
          settings.lr[method] = value;
        }),
    }),
  ]);
  const rateFields = h(
    'fieldset',
    { class: 'plain' },
    h('legend', {}, 'Learning rate of each method'),
    h('div', { class: 'fields' }, ...rates.map(([, field]) => field.element)),
  );
  const shape = [kind, start, planted, data, rank, seed, choice];
  const element = h(
    'div',
    { class: 'stack' },
    h('div', { class: 'fields roomy' }, ...shape.map((field) => field.element)),
    rateFields,
  );
  return {
    element,
    show() {
      kind.show(problem.problem);
      start.show(problem.start);
      planted.show(problem.planted_condition);
      data.show(problem.data_condition);
      rank.show(problem.rank);
      seed.show(problem.seed);
      choice.show(settings.best_of_grid ? 'grid' : 'own');
      rateFields.disabled = settings.best_of_grid;
      for (const [method, field] of rates) field.show(settings.lr[method]);
    },
  };
}
