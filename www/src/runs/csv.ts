import { methodNames, methodOf } from '../config/methods';
import { type Cell, csvOf } from '../share/csv';
import type { RunRecord } from './record';

/** Columns of the file, in its order, and what each says of a run. Numbers are whole, not rounded for the eye. */
const columns: readonly (readonly [string, (run: RunRecord) => Cell])[] = [
  ['name', ({ name }) => name],
  ['method', ({ optimizer }) => methodNames[methodOf(optimizer)]],
  ['origin', ({ origin }) => origin],
  ['model', ({ model }) => model],
  ['data', ({ data }) => data],
  ['starts_from', ({ start }) => start],
  ['lr', ({ optimizer }) => optimizer.lr],
  ['damping', ({ optimizer }) => optimizer.preconditioner?.damping ?? null],
  ['beta1', ({ optimizer }) => (optimizer.rule === 'adamw' ? optimizer.betas[0] : null)],
  ['beta2', ({ optimizer }) => (optimizer.rule === 'adamw' ? optimizer.betas[1] : null)],
  ['momentum', ({ optimizer }) => (optimizer.rule === 'adamw' ? null : optimizer.momentum)],
  ['weight_decay', ({ optimizer }) => optimizer.weight_decay],
  ['rank', ({ session }) => session.rank],
  ['alpha', ({ session }) => session.alpha],
  ['use_rslora', ({ session }) => String(session.use_rslora ?? false)],
  ['batch_size', ({ session }) => session.batch_size],
  ['seed', ({ session }) => session.seed],
  ['steps', ({ session }) => session.steps],
  ['steps_done', ({ stepsDone }) => stepsDone],
  ['first_loss', ({ firstLoss }) => firstLoss],
  ['last_loss', ({ lastLoss }) => lastLoss],
  ['validation_loss', ({ validationLoss }) => validationLoss],
  ['diverged_at', ({ divergedAt }) => divergedAt],
  ['engine', ({ engine }) => engine],
  ['ended', ({ when }) => new Date(when).toISOString()],
];

/** The runs as CSV, a row each. */
export function runsCsv(runs: readonly RunRecord[]): Promise<string> {
  return csvOf(
    columns.map(([name]) => name),
    runs.map((run) => columns.map(([, value]) => value(run))),
  );
}
