import type { Experiment } from '../experiment/experiment';
import type { KeptWorker } from '../lab/trainee';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import type { Progress } from '../protocol';
import type { Result } from '../result';
import type { CatalogModel } from '../store/catalog';
import type { Kept } from '../store/vault';
import type { KeptTraining } from './kept-training';

/** What there is to keep of an experiment beside its curves and checkpoints, as it is at one moment. */
export interface Taken<Own> {
  /** `catalog` is the model of the site that it is: then its files need not be kept. */
  model: { name: string; catalog: CatalogModel | null; files: readonly File[]; keepFiles: boolean };
  data: { name: string; blob: Blob };
  /** What only this kind of experiment has. */
  own: Own;
  parts: ReadonlyMap<string, Blob>;
}

/** What goes on from where it was. */
export type GoOn = (metrics: ExperimentMetrics, workers: readonly KeptWorker[]) => void;

/** How trainings of one kind of experiment are kept and come back. */
export interface Keeping<Of extends KeptTraining> {
  readonly experiment: Experiment;
  /** Calls `reader` when there is more to keep although no checkpoint was made. */
  onMore(reader: () => void): void;
  /** Null where there is nothing to go on from. */
  take(): Taken<Omit<Of, keyof KeptTraining>> | null;
  /** Whether the user must give the model's files again. */
  asksForModel(kept: Kept<Of>): boolean;
  /** The model's files: loaded, fetched, kept or `given`. */
  modelOf(
    kept: Kept<Of>,
    given: readonly File[],
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Result<File[]>>;
  /** Puts settings and data in place, once the model is loaded. */
  prepare(kept: Kept<Of>): Promise<Result<GoOn>>;
}
