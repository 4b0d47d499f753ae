import type { EngineName } from '../engine/engine-module';
import type { Reply, WorkerApi } from '../engine/worker-api';
import type { MemoryEstimate, SessionSettings } from '../protocol';
import { type Result, success } from '../result';
import type { Machine } from './budget';
import { type Spread, spreadRuns } from './spread';

/** What training needs, over all workers. */
export interface LabEstimate extends Spread {
  /** Of the worker with the most runs. */
  worker: MemoryEstimate;
  /** Bytes of all workers. */
  total: number;
  fits: boolean;
  /** Whether all workers together need more than the machine seems to have. */
  tight: boolean;
  /** What to change where it does not fit. */
  advice: string;
}

// The rest is for the browser, the page and the system.
const SHARE_OF_MEMORY = 0.6;

/** Asks a worker what its sessions would need, and spreads the runs by it; `groups` are given where they are so already. */
export async function estimateMemory(
  askWorker: (question: (api: WorkerApi) => Promise<Reply<MemoryEstimate>>) => Promise<Reply<MemoryEstimate>>,
  settings: SessionSettings,
  engine: EngineName,
  machine: Machine,
  given: readonly number[][] = [],
): Promise<Result<LabEstimate>> {
  const ask = (runs: number, shards = 1) =>
    askWorker((api) =>
      api.estimate({
        ...settings,
        batch_size: Math.ceil(settings.batch_size / shards),
        runs: settings.runs.slice(0, runs),
      }),
    );
  const single = await ask(1);
  if (!single.ok) return single;
  const memory = machine.memory * SHARE_OF_MEMORY;
  const { groups, shards } = spreadRuns(
    {
      runs: settings.runs.length,
      // The one GPU computes for all runs at once.
      cores: engine === 'webgpu' ? 1 : machine.cores,
      memory,
      perWorker: single.value.total,
      batchSize: settings.batch_size,
    },
    given,
  );
  const most = Math.max(...groups.map((group) => group.length));
  const worker = await ask(most, shards);
  if (!worker.ok) return worker;
  const total = worker.value.total * groups.length * shards;
  const { limit } = worker.value;
  const fits = limit === 0 || worker.value.total <= limit;
  const advice = fits
    ? ''
    : 'One worker needs more memory than it can have. Turn gradient checkpointing on, or make the micro-batch, the sequence length or the number of runs smaller.';
  return success({
    worker: worker.value,
    groups,
    shards,
    total,
    fits,
    tight: machine.memory > 0 && total > machine.memory,
    advice,
  });
}
