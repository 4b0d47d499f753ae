import './settings-panel.css';
import type { SharedConfig } from '../../config/config';
import { withSteps } from '../../config/presets';
import { freshId, h } from '../../controls/dom';
import { checkField, helpButton, numberField, showWhere, switchField } from '../../controls/field';
import type { Target } from '../../protocol';
import type { Experiment } from '../experiment';
import { estimatePanel } from './estimate-panel';
import { type RunListOptions, runList } from './run-list';

/** Where the settings of two experiments differ. */
export interface SettingsOptions extends RunListOptions {
  defaults(): SharedConfig;
  /** Layers that can carry adapters. */
  targets: readonly Target[];
  aboutTargets: string;
  /** Whether a step can be done in parts. */
  inParts?: boolean;
  /** Stands above the table of runs. */
  aboveRuns?: HTMLElement;
}

/** Adapters, steps, and the table of runs. */
export function settingsPanel(app: Experiment, options: SettingsOptions): HTMLElement[] {
  const reset = () => {
    const fresh = options.defaults();
    app.change((config) => Object.assign(config, { session: fresh.session, runs: fresh.runs }));
  };
  const resetButton = h('button', { type: 'button', class: 'quiet', onclick: reset }, 'Back to defaults');
  const shared = h(
    'fieldset',
    { class: 'plain' },
    h('legend', {}, 'Shared by all runs'),
    sharedFields(app, options),
    targetField(app, options),
  );
  const runs = h(
    'fieldset',
    { class: 'plain' },
    h('legend', {}, 'Runs'),
    options.aboveRuns ?? null,
    runList(app, options),
  );
  app.lab.phase.watch(() => {
    shared.disabled = app.locked;
    runs.disabled = app.locked;
    resetButton.disabled = app.locked;
  });
  return [shared, runs, estimatePanel(app), resetButton];
}

function sharedFields(app: Experiment, { inParts }: SettingsOptions): HTMLElement {
  const edit = (change: (config: SharedConfig) => void) => app.change(change);
  const session =
    (key: 'rank' | 'alpha' | 'dropout' | 'batch_size' | 'micro_batch_size' | 'seed') => (value: number) =>
      edit((config) => {
        config.session[key] = value;
      });
  const rank = numberField({
    label: 'Rank',
    help: 'Rows of lora_a and columns of lora_b: how many directions each adapted layer can change in.',
    field: 'rank',
    onInput: session('rank'),
  });
  const alpha = numberField({
    label: 'Alpha',
    help: 'The adapter’s product lora_b · lora_a is multiplied by alpha / rank.',
    field: 'alpha',
    onInput: session('alpha'),
  });
  const dropout = numberField({
    label: 'Dropout',
    help: 'Share of the adapters’ inputs that are set to 0 while training, so that no single one is relied on.',
    field: 'dropout',
    onInput: session('dropout'),
  });
  const batch = numberField({
    label: 'Batch',
    help: 'Examples in one step; all runs see the same ones.',
    field: 'batch_size',
    onInput: session('batch_size'),
  });
  const microBatch = numberField({
    label: 'Micro-batch',
    help: 'Examples of a batch that are computed at once; their gradients add up to the batch’s. Fewer take less memory, and the result is the same. 0 computes the whole batch at once.',
    field: 'micro_batch_size',
    onInput: session('micro_batch_size'),
  });
  // What warm-ups of presets are a share of, while another number of steps is being typed.
  let lastSteps = app.config.value.session.steps;
  const steps = numberField({
    label: 'Steps',
    help: 'Updates of the adapters in all; schedules of lr end there.',
    field: 'steps',
    onInput: (value) =>
      edit((config) => {
        config.session.steps = value;
        if (!(value >= 1)) return;
        for (const run of config.runs) run.optimizer = withSteps(run.optimizer, lastSteps, value);
      }),
  });
  const seed = numberField({
    label: 'Seed',
    help: 'Decides the random start of lora_a, the batches and dropout: the same seed gives the same training.',
    field: 'seed',
    onInput: session('seed'),
  });
  const validation = numberField({
    label: 'Validate every',
    help: 'Steps between two measurements of the loss on held-out examples; 0 never measures.',
    field: 'validation_every',
    onInput: (value) =>
      edit((config) => {
        config.validationEvery = value;
      }),
  });
  const checkpoint = numberField({
    label: 'Checkpoint',
    help: 'Steps between two copies of the adapters, from which training goes on if a worker dies or the page is closed; 0 keeps none.',
    field: 'checkpoint_every',
    onInput: (value) =>
      edit((config) => {
        config.checkpointEvery = value;
      }),
  });
  const diagnostics = switchField({
    label: 'Diagnostics',
    help: 'Measures norms, condition numbers and the size of updates at every step; that takes a little time.',
    field: 'diagnostics',
    onInput: (value) =>
      edit((config) => {
        config.session.diagnostics = value;
      }),
  });
  const checkpointing = switchField({
    label: 'Gradient checkpointing',
    help: 'Keeps only what enters each block and computes the rest a second time on the way back: much less memory, and a step takes up to half as long again. The result is the same.',
    field: 'gradient_checkpointing',
    onInput: (value) =>
      edit((config) => {
        config.session.gradient_checkpointing = value;
      }),
  });
  const half = switchField({
    label: 'Half precision',
    help: 'Multiplies wide weights in f16 on the way forward, which some GPUs do faster; sums, gradients and the optimizer stay in f32. Losses then differ by less than one part in a thousand.',
    field: 'half_precision',
    onInput: (value) =>
      edit((config) => {
        config.session.half_precision = value;
      }),
  });
  const showHalf = () => {
    const report = app.lab.engineReport.value;
    const choices = report.status === 'ready' ? (report.value.products?.choices ?? []) : [];
    const can = choices.some(({ half_seconds }) => half_seconds !== null);
    showWhere(half, can || app.config.value.session.half_precision);
  };
  app.lab.engineReport.watch(showHalf);
  app.config.watch((config) => {
    half.show(config.session.half_precision);
    showHalf();
    if (config.session.steps >= 1) lastSteps = config.session.steps;
    rank.show(config.session.rank);
    alpha.show(config.session.alpha);
    dropout.show(config.session.dropout);
    batch.show(config.session.batch_size);
    steps.show(config.session.steps);
    seed.show(config.session.seed);
    validation.show(config.validationEvery);
    checkpoint.show(config.checkpointEvery);
    diagnostics.show(config.session.diagnostics);
    microBatch.show(config.session.micro_batch_size);
    checkpointing.show(config.session.gradient_checkpointing);
  });
  const parts = inParts ? [microBatch, checkpointing] : [];
  const fields = [
    rank,
    alpha,
    dropout,
    seed,
    batch,
    steps,
    validation,
    checkpoint,
    diagnostics,
    ...parts,
    half,
  ];
  return h('div', { class: 'fields narrow' }, ...fields.map((field) => field.element));
}

/** The layers that carry adapters. */
function targetField(app: Experiment, { targets, aboutTargets }: SettingsOptions): HTMLElement {
  const boxes = targets.map((target) => {
    const box = checkField(
      target,
      (on) =>
        app.change(({ session }) => {
          const chosen = new Set(session.targets);
          if (on) chosen.add(target);
          else chosen.delete(target);
          session.targets = targets.filter((one) => chosen.has(one));
        }),
      app.id(`target-${target}`),
    );
    return { target, ...box };
  });
  app.config.watch(({ session }) => {
    for (const { target, show } of boxes) show(session.targets.includes(target));
  });
  app.lab.model.watch((state) => {
    for (const { target, input } of boxes) {
      const there = state.status !== 'ready' || state.value.targets.some((shape) => shape.target === target);
      input.disabled = !there;
    }
  });
  const id = freshId('targets');
  const help = h('p', { class: 'help', id: `${id}-help`, hidden: true }, aboutTargets);
  const problem = h('p', { class: 'problem', id: `${id}-problem`, hidden: true });
  const group = h(
    'div',
    { class: 'checks', role: 'group', 'aria-labelledby': id, 'data-help': help.id },
    ...boxes.map(({ element }) => element),
  );
  const name = h('div', { class: 'field-name' }, h('span', { id }, 'Targets'), helpButton('Targets', help));
  return h('div', { class: 'field', 'data-field': 'targets' }, name, group, problem, help);
}
