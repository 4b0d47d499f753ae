/** What decides how many workers train. */
export interface SpreadInput {
  runs: number;
  /** Logical cores. */
  cores: number;
  /** Bytes that all workers together may take; 0 where unknown. */
  memory: number;
  /** Bytes of one worker with one run. */
  perWorker: number;
}

/** Indices of the runs of each worker: as many workers as runs, cores and memory allow, as even as possible. */
export function spreadRuns({ runs, cores, memory, perWorker }: SpreadInput): number[][] {
  const fitting = memory > 0 && perWorker > 0 ? Math.floor(memory / perWorker) : runs;
  const workers = Math.max(1, Math.min(runs, cores, fitting));
  const groups: number[][] = Array.from({ length: workers }, () => []);
  for (let run = 0; run < runs; run += 1) groups[run % workers]?.push(run);
  return groups;
}

/** The field of a failure in the page's numbering of runs, given the worker's own. */
export function globalField(field: string | null, runs: number[]): string | null {
  const match = field?.match(/^runs\.(\d+)(.*)$/);
  if (match === null || match === undefined) return field;
  const run = runs[Number(match[1])];
  return run === undefined ? field : `runs.${run}${match[2]}`;
}
