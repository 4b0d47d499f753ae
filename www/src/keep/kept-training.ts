import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import type { PackedMetrics } from '../metrics/packed';
import type { CatalogModel } from '../store/catalog';
import { digestOf } from '../store/digest';

/** Of the form below. */
export const VERSION = 2;

/** A file that a training needs. Its bytes are a part of what is kept, where there was room for them. */
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

/** Everything of a training, whatever is learned, but its large parts, which have the names below. */
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
  metrics: Omit<PackedMetrics, 'bytes'>;
}

/** Names of the parts. */
export const partNames = {
  worker: (index: number) => `worker-${index}`,
  modelFile: (index: number) => `model-${index}`,
  data: 'data',
  metrics: 'metrics',
};

/** What a file was, so that it is known again. */
export async function keptFile(file: File): Promise<KeptFile> {
  return { name: file.name, bytes: file.size, digest: await digestOf(file) };
}

/** Whether these files are those that were kept. */
export async function areThese(files: readonly File[], wanted: readonly KeptFile[]): Promise<boolean> {
  if (files.length !== wanted.length || files.some((file, index) => file.size !== wanted[index]?.bytes))
    return false;
  const digests = await Promise.all(files.map(digestOf));
  return digests.every((digest, index) => digest === wanted[index]?.digest);
}

/** The last step of each run that a checkpoint has. */
export function stepsOf(places: readonly KeptPlace[], metrics: ExperimentMetrics): (run: number) => number {
  const steps = new Map(places.flatMap(({ runs, step }) => runs.map((run) => [run, step])));
  return (run) => steps.get(run) ?? metrics.step;
}
