import './settings-panel.css';
import type { SharedConfig } from '../../config/config';
import { withSteps } from '../../config/presets';
import { sharedSettings } from '../../config/shared-settings';
import { freshId, h } from '../../controls/dom';
import { checkField, helpButton, showWhere } from '../../controls/field';
import { settingField } from '../../controls/setting-field';
import { type UndoPlace, undoPlace } from '../../controls/undo';
import type { Target } from '../../protocol';
import type { Experiment } from '../experiment';
import { estimatePanel } from './estimate-panel';
import { type RunListOptions, runList } from './run-list';

/** Fields of what a step in parts needs. */
const PARTS = ['micro_batch_size', 'gradient_checkpointing'];

/** Where the settings of two experiments differ. */
export interface SettingsOptions extends RunListOptions {
  defaults(): SharedConfig;
  /** Layers that can carry adapters. */
  targets: readonly Target[];
  aboutTargets: string;
  /** Whether a step can be done in parts. */
  inParts?: boolean;
  /** Stands above the table of runs; what it replaces, it offers back. */
  aboveRuns?(undo: UndoPlace): HTMLElement;
}

/** Adapters, steps, and the table of runs. */
export function settingsPanel(app: Experiment, options: SettingsOptions): HTMLElement[] {
  const undo = undoPlace(app.id('settings'));
  const reset = () => {
    const { session, runs } = app.config.value;
    const fresh = options.defaults();
    app.change((config) => Object.assign(config, { session: fresh.session, runs: fresh.runs }));
    undo.offer({
      words: 'These are the defaults.',
      bringBack: () => app.change((config) => Object.assign(config, structuredClone({ session, runs }))),
      backWords: 'Your settings are back.',
    });
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
    options.aboveRuns?.(undo) ?? null,
    runList(app, options, undo),
  );
  app.lab.phase.watch(() => {
    shared.disabled = app.locked;
    runs.disabled = app.locked;
    resetButton.disabled = app.locked;
    undo.enable(!app.locked);
  });
  return [shared, runs, estimatePanel(app), h('div', { class: 'row' }, resetButton, undo.element)];
}

function sharedFields(app: Experiment, { inParts }: SettingsOptions): HTMLElement {
  // What warm-ups of presets are a share of, while another number of steps is being typed.
  let lastSteps = app.config.value.session.steps;
  const edit = (change: (config: SharedConfig) => void) =>
    app.change((config) => {
      const before = config.session.steps;
      change(config);
      const { steps } = config.session;
      if (steps === before || !(steps >= 1)) return;
      for (const run of config.runs) run.optimizer = withSteps(run.optimizer, lastSteps, steps);
    });
  const fields = sharedSettings
    .filter(({ field }) => inParts || !PARTS.includes(field))
    .map((setting) => ({ name: setting.field, ...settingField(setting, edit) }));
  const half = fields.find(({ name }) => name === 'half_precision');
  const showHalf = () => {
    const report = app.lab.engineReport.value;
    const choices = report.status === 'ready' ? (report.value.products?.choices ?? []) : [];
    const can = choices.some(({ half_seconds }) => half_seconds !== null);
    if (half !== undefined) showWhere(half, can || app.config.value.session.half_precision);
  };
  app.lab.engineReport.watch(showHalf);
  app.config.watchTo(
    ({ session, validationEvery, checkpointEvery }) => [session, validationEvery, checkpointEvery],
    () => {
      const config = app.config.value;
      for (const field of fields) field.show(config);
      showHalf();
      if (config.session.steps >= 1) lastSteps = config.session.steps;
    },
  );
  return h('div', { class: 'fields narrow' }, ...fields.map(({ element }) => element));
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
  app.config.watchTo(
    ({ session }) => session.targets,
    (chosen) => {
      for (const { target, show } of boxes) show(chosen.includes(target));
    },
  );
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
