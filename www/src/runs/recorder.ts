import { readyValue } from '../lab/loadable';
import type { App } from '../language/app';
import type { RunBook } from './book';
import { type RunContext, recordOf } from './record';

/** What the runs of now are trained on and with; undefined without model or data. */
export function contextOf(app: App, origin: RunContext['origin']): RunContext | undefined {
  const model = readyValue(app.lab.model.value);
  const source = app.dataSource.value;
  if (model === undefined || source === null) return undefined;
  const { session, data } = app.config.value;
  const { engine } = app.lab.choice.value;
  const start = app.lab.startedFrom;
  return { model: model.name, data: source.name, dataSettings: data, session, engine, start, origin };
}

/** Puts every training of the Language tab into the book as soon as it is over, however it ended. */
export function recordTrainings(app: App, book: RunBook): void {
  app.lab.phase.subscribe((phase) => {
    const over = phase === 'finished' || phase === 'stopped' || phase === 'failed';
    const metrics = app.metrics.value;
    const context = contextOf(app, 'training');
    if (!over || app.sweeping.value || metrics === null || context === undefined) return;
    const when = Date.now();
    const records = app.trainedRuns.value.flatMap((run, index) => {
      const series = metrics.runs[index];
      return series === undefined ? [] : (recordOf(run, series, context, when) ?? []);
    });
    void book.add(records);
  });
}
