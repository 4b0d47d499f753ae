/** What decides how many workers train. */
export interface SpreadInput {
  runs: number;
  /** Logical cores. */
  cores: number;
  /** Bytes that all workers together may take; 0 where unknown. */
  memory: number;
  /** Bytes of one worker with one run. */
  perWorker: number;
  /** Examples of a step. */
  batchSize: number;
}

/** Which workers train what. */
export interface Spread {
  /** Indices of the runs of each group; the workers of a group all hold its runs. */
  groups: number[][];
  /** Workers of each group: each computes a shard of the group's steps. */
  shards: number;
}

/**
 * As many groups as runs, cores and memory allow, as even as possible; cores that are left share the steps. `given` are
 * groups that are so already.
 */
export function spreadRuns(input: SpreadInput, given: readonly number[][] = []): Spread {
  const { runs, cores, memory, perWorker, batchSize } = input;
  const most = memory > 0 && perWorker > 0 ? Math.min(cores, Math.floor(memory / perWorker)) : cores;
  const groups = given.length > 0 ? [...given] : evenGroups(runs, Math.max(1, Math.min(runs, most)));
  return { groups, shards: Math.max(1, Math.min(batchSize, Math.floor(most / groups.length))) };
}

function evenGroups(runs: number, count: number): number[][] {
  const groups: number[][] = Array.from({ length: count }, () => []);
  for (let run = 0; run < runs; run += 1) groups[run % count]?.push(run);
  return groups;
}

/** The field of a failure in the page's numbering of runs, given the worker's own. */
export function globalField(field: string | null, runs: number[]): string | null {
  const match = field?.match(/^runs\.(\d+)(.*)$/);
  if (match === null || match === undefined) return field;
  const run = runs[Number(match[1])];
  return run === undefined ? field : `runs.${run}${match[2]}`;
}
