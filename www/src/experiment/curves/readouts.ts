import './readouts.css';
import { swatch } from '../../charts/run-style';
import { fill, givenName, h, setText } from '../../controls/dom';
import { paced } from '../../controls/frame';
import type { LabPhase } from '../../lab/lab';
import type { RunSeries } from '../../metrics/run-series';
import { measure, setting } from '../../words/numbers';
import type { Experiment } from '../experiment';

const columns = ['First loss', 'Loss now', 'Validation', 'Best validation', 'Gradient norm', 'lr'];

/** The numbers of each run. */
export function readouts(app: Experiment): HTMLElement {
  const body = h('tbody', {});
  const names = ['Run', ...columns].map((name) => h('th', { scope: 'col' }, name));
  const head = h('tr', {}, ...names);
  const table = h(
    'table',
    { id: app.id('readouts'), class: 'dense readouts' },
    h('caption', { class: 'unseen' }, 'Runs'),
    h('thead', {}, head),
    body,
  );
  const element = h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Numbers of the runs' },
    table,
  );
  let rows: { cells: HTMLElement[]; state: HTMLElement }[] = [];
  app.trainedRuns.watch((runs) => {
    element.hidden = runs.length === 0;
    rows = runs.map(() => ({
      cells: columns.map((name) => h('td', { 'data-column': name }, '–')),
      state: h('span', { class: 'run-state', 'data-column': 'State' }),
    }));
    const lines = runs.map((run, index) => {
      const name = h('th', { scope: 'row' }, swatch(run.style), givenName(run.name), rows[index]?.state);
      return h('tr', { 'data-run': run.name }, name, ...(rows[index]?.cells ?? []));
    });
    fill(body, ...lines);
  });
  const draw = paced(() => {
    for (const [index, { cells, state }] of rows.entries()) {
      const run = app.metrics.value?.runs[index];
      if (run === undefined) continue;
      for (const [at, text] of textsOf(run).entries()) {
        const cell = cells[at];
        if (cell !== undefined) setText(cell, text);
      }
      setText(state, stateOf(run, app.lab.phase.value));
      state.classList.toggle('diverged', run.divergedAt !== null);
    }
  });
  app.measured.subscribe(draw.soon);
  app.trainedRuns.subscribe(draw.now);
  return element;
}

function textsOf(run: RunSeries): string[] {
  const best = run.bestValidation;
  return [
    measure(run.firstLoss),
    measure(run.lastLoss),
    measure(run.lastValidation?.loss ?? null),
    best === null ? '–' : `${measure(best.loss)} at ${best.step}`,
    measure(run.track('grad_norm').last),
    run.lr === 0 ? '–' : setting(Number(run.lr.toPrecision(3))),
  ];
}

function stateOf(run: RunSeries, phase: LabPhase): string {
  if (run.divergedAt !== null) return `diverged at step ${run.divergedAt}`;
  const words: Partial<Record<LabPhase, string>> = {
    preparing: 'waiting',
    paused: 'paused',
    finished: 'finished',
    stopped: 'stopped',
    failed: 'stopped',
  };
  return words[phase] ?? (run.lastLoss === null ? 'waiting' : 'training');
}
