import { current } from 'immer';
import { freeStyle } from '../../charts/run-style';
import type { RunConfig } from '../../config/config';
import { methodNames, methodOf } from '../../config/methods';
import { presetCalled, settingsOf } from '../../config/presets';
import { fill, h, setText } from '../../controls/dom';
import { showProblems } from '../../controls/field';
import type { UndoPlace } from '../../controls/undo';
import { plural } from '../../words/numbers';
import type { Experiment } from '../experiment';
import { type RunEditor, runEditor } from './run-editor';

/** Where the tables of two experiments differ. */
export interface RunListOptions {
  /** Whether runs have a learning rate of their own for the text encoder. */
  textEncoder: boolean;
}

const MOST_OPEN = 6;

/** The table of runs: one editor each, and a way to have more. */
export function runList(app: Experiment, { textEncoder }: RunListOptions, undo: UndoPlace): HTMLElement {
  const list = h('ol', { class: 'runs' });
  const problem = h('p', { class: 'problem', hidden: true });
  let editors: RunEditor[] = [];

  const edit = (index: number, change: (run: RunConfig, steps: number) => void) =>
    app.change(({ runs, session }) => {
      const run = runs[index];
      if (run !== undefined) change(run, session.steps);
    });
  const duplicate = (index: number) => {
    app.change(({ runs }) => {
      const run = runs[index];
      if (run === undefined) return;
      const copy = { ...structuredClone(current(run)), style: freeStyle(runs.map(({ style }) => style)) };
      copy.name = freeName(copy.name, runs);
      runs.splice(index + 1, 0, copy);
    });
    editors[index + 1]?.focus();
  };
  const remove = (index: number) => {
    const gone = app.config.value.runs[index];
    if (gone === undefined) return;
    app.change(({ runs }) => runs.splice(index, 1));
    undo.offer({
      words: `${gone.name} removed.`,
      bringBack: () => app.change(({ runs }) => runs.splice(index, 0, structuredClone(gone))),
      backWords: `${gone.name} brought back.`,
    });
    (editors[Math.min(index, editors.length - 1)] ?? { focus: () => add.focus() }).focus();
  };
  const add = h(
    'button',
    {
      type: 'button',
      id: app.id('add-run'),
      onclick: () => {
        app.change(({ runs, session }) => {
          const preset = presetCalled('scaled-adamw-safe');
          if (preset === undefined) return;
          const optimizer = settingsOf(preset, session.steps);
          const name = freeName(methodNames[methodOf(optimizer)], runs);
          runs.push({ name, optimizer, style: freeStyle(runs.map(({ style }) => style)) });
        });
        editors.at(-1)?.focus();
      },
    },
    'Add a run',
  );

  const show = () => {
    const { runs, session } = app.config.value;
    if (editors.length !== runs.length) {
      editors = runs.map((_, index) =>
        runEditor({
          index,
          textEncoder,
          edit: (change) => edit(index, change),
          duplicate: () => duplicate(index),
          remove: () => remove(index),
        }),
      );
      fill(list, ...editors.map(({ element }) => element));
      showProblems(list, app.problems.value);
    }
    for (const [index, run] of runs.entries()) editors[index]?.show(run, session);
  };
  app.config.watchTo(({ runs, session }) => [runs, session.steps], show);
  const count = h('summary', {});
  const all = h('details', { class: 'runs-all', open: true }, count, list);
  let many = false;
  app.config.watchTo(
    ({ runs }) => runs.length,
    (runs) => {
      setText(count, plural(runs, 'run'));
      // Many editors would push everything else out of sight.
      if (runs > MOST_OPEN !== many) all.open = many;
      many = runs > MOST_OPEN;
    },
  );
  return h('div', { class: 'stack', 'data-field': 'runs' }, all, problem, add);
}

/** `Name`, `Name 2`, `Name 3`: whatever no run is called yet. */
function freeName(name: string, runs: readonly RunConfig[]): string {
  const stem = name.replace(/ \d+$/, '');
  const taken = new Set(runs.map((run) => run.name));
  if (!taken.has(stem)) return stem;
  let number = 2;
  while (taken.has(`${stem} ${number}`)) number += 1;
  return `${stem} ${number}`;
}
