import type { App } from '../app';
import type { RunSeries } from '../metrics/run-series';
import { fill, h, setText } from './dom';
import { paced } from './frame';
import { swatch } from './run-style';
import { measure, setting } from './words';

const columns = [
  'Run',
  'First loss',
  'Loss now',
  'Validation',
  'Best validation',
  'Gradient norm',
  'lr',
  'State',
];

/** The numbers of each run. */
export function readouts(app: App): HTMLElement {
  const body = h('tbody', {});
  const head = h('tr', {}, ...columns.map((name) => h('th', { scope: 'col' }, name)));
  const table = h(
    'table',
    { id: 'readouts' },
    h('caption', { class: 'unseen' }, 'Runs'),
    h('thead', {}, head),
    body,
  );
  const element = h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Numbers of the runs' },
    table,
  );
  let rows: HTMLElement[][] = [];
  app.trainedRuns.watch((runs) => {
    element.hidden = runs.length === 0;
    rows = runs.map(() => columns.slice(1).map((name) => h('td', { 'data-column': name }, '–')));
    fill(
      body,
      ...runs.map((run, index) =>
        h(
          'tr',
          { 'data-run': run.name },
          h('th', { scope: 'row' }, swatch(run.style), run.name),
          ...(rows[index] ?? []),
        ),
      ),
    );
  });
  const draw = paced(() => {
    for (const [index, cells] of rows.entries()) {
      const run = app.metrics.value?.runs[index];
      if (run === undefined) continue;
      const texts = textsOf(run, app.lab.phase.value === 'finished');
      for (const [at, text] of texts.entries()) {
        const cell = cells[at];
        if (cell !== undefined) setText(cell, text);
      }
      cells.at(-1)?.classList.toggle('diverged', run.divergedAt !== null);
    }
  });
  app.measured.subscribe(draw.soon);
  app.trainedRuns.subscribe(draw.now);
  return element;
}

function textsOf(run: RunSeries, finished: boolean): string[] {
  const best = run.bestValidation;
  const diverged = run.divergedAt !== null;
  const going = finished ? 'finished' : run.lastLoss === null ? 'waiting' : 'training';
  return [
    measure(run.firstLoss),
    measure(run.lastLoss),
    measure(run.lastValidation?.loss ?? null),
    best === null ? '–' : `${measure(best.loss)} at ${best.step}`,
    measure(run.lastGradNorm),
    run.lr === 0 ? '–' : setting(Number(run.lr.toPrecision(3))),
    diverged ? `diverged at ${run.divergedAt}` : going,
  ];
}
