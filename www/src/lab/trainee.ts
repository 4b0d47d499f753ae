import type { Held } from './seat';

/** What is kept of a worker, from which another goes on. */
export interface KeptWorker {
  /** Indices of its runs. */
  runs: number[];
  step: number;
  /** Whether all its runs diverged. */
  ended: boolean;
  bytes: Uint8Array;
}

/** A group of runs while it is trained: its workers, which runs of the plan are its own, and how far it is. */
export interface Trainee {
  /** The first answers for all; the others hold the same runs and share its steps. None where they were let go. */
  workers: Held[];
  /** Counts its workers' replacements: who finds one lost says which it asked. */
  generation: number;
  runs: number[];
  step: number;
  /** The step it was last asked for: one more than `step` while it computes. */
  asked: number;
  /** Nothing more to do for it: every run diverged. */
  ended: boolean;
  checkpoint: { step: number; bytes: Uint8Array } | null;
  /** Whether one is to be made before the next step, whenever it would be due. */
  checkpointWanted: boolean;
  /** How often its workers died at training since it last got further. */
  deaths: number;
  /** The furthest step at which one did. */
  diedAt: number;
  /** The replacement that is under way. */
  recovery: Promise<boolean> | null;
}

/** One that has done nothing yet. */
export function newTrainee(runs: number[]): Trainee {
  return {
    workers: [],
    generation: 0,
    runs,
    step: 0,
    asked: 0,
    ended: false,
    checkpoint: null,
    checkpointWanted: false,
    deaths: 0,
    diedAt: 0,
    recovery: null,
  };
}
