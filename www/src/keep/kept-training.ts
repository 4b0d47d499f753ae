import type { SampleGroup } from '../language/samples/samples';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import type { PackedMetrics } from '../metrics/packed';
import type { CatalogModel } from '../store/catalog';
import type { Vault } from '../store/vault';

/** Of the form below. */
export const VERSION = 2;

/** A file that a training needs. Its bytes are a part of the generation, where there was room for them. */
export interface KeptFile {
  name: string;
  bytes: number;
  digest: string;
}

/** A worker's place in a training; its checkpoint is a part. */
export interface KeptPlace {
  runs: number[];
  step: number;
  ended: boolean;
}

/** Everything of a training but its large parts, which have the names below. */
export interface KeptTraining {
  version: typeof VERSION;
  /** When it began. */
  began: string;
  step: number;
  steps: number;
  /** As `config/serialise.ts` writes it. */
  config: string;
  model: { name: string; catalog: CatalogModel | null; files: KeptFile[] };
  data: KeptFile;
  workers: KeptPlace[];
  samples: SampleGroup[];
  metrics: Omit<PackedMetrics, 'bytes'>;
}

/** Names of the parts. */
export const partNames = {
  worker: (index: number) => `worker-${index}`,
  modelFile: (index: number) => `model-${index}`,
  data: 'data',
  metrics: 'metrics',
};

/** Where a training is kept. */
export type TrainingVault = Vault<KeptTraining>;

/** A training that can be kept now: it has checkpoints, and what belongs to them. */
export interface Snapshot {
  training: KeptTraining;
  checkpoints: Uint8Array[];
  curves: Uint8Array;
}

/** The last step of each run that a checkpoint has. */
export function stepsOf(places: readonly KeptPlace[], metrics: ExperimentMetrics): (run: number) => number {
  const steps = new Map(places.flatMap(({ runs, step }) => runs.map((run) => [run, step])));
  return (run) => steps.get(run) ?? metrics.step;
}
