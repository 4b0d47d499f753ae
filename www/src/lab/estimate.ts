import type { EngineName } from '../engine-module';
import type { MemoryEstimate, SessionSettings } from '../protocol';
import { type Result, success } from '../result';
import type { Seat } from './seat';
import { spreadRuns } from './spread';

/** What the page knows of the machine. */
export interface Machine {
  cores: number;
  /** Bytes; 0 where the browser does not tell. */
  memory: number;
}

/** What training needs, over all workers. */
export interface LabEstimate {
  /** Of the worker with the most runs. */
  worker: MemoryEstimate;
  /** Indices of the runs of each worker. */
  groups: number[][];
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

/** Asks a worker what its sessions would need, and spreads the runs by it. */
export async function estimateMemory(
  seat: Seat,
  settings: SessionSettings,
  engine: EngineName,
  machine: Machine,
): Promise<Result<LabEstimate>> {
  const ask = (runs: number) =>
    seat.call((api) => api.estimate({ ...settings, runs: settings.runs.slice(0, runs) }));
  const single = await ask(1);
  if (!single.ok) return single;
  const memory = machine.memory * SHARE_OF_MEMORY;
  const groups =
    engine === 'webgpu'
      ? [settings.runs.map((_, index) => index)]
      : spreadRuns({
          runs: settings.runs.length,
          cores: machine.cores,
          memory,
          perWorker: single.value.total,
        });
  const most = Math.max(...groups.map((group) => group.length));
  const worker = await ask(most);
  if (!worker.ok) return worker;
  const total = worker.value.total * groups.length;
  const { limit } = worker.value;
  const fits = limit === 0 || worker.value.total <= limit;
  const advice = fits
    ? ''
    : 'One worker needs more memory than it can have. Turn gradient checkpointing on, or make the micro-batch, the sequence length or the number of runs smaller.';
  return success({
    worker: worker.value,
    groups,
    total,
    fits,
    tight: machine.memory > 0 && total > machine.memory,
    advice,
  });
}
