import type { RunConfig } from '../config/config';

/** When runs were asked to write or draw. */
export interface TakenAt {
  /** Counts the trainings of a visit. */
  training: number;
  step: number;
  /** None is the base alone. */
  runs: readonly RunConfig[];
}

/** The same in words, as a title. */
export function takenAtWords({ training, step, runs }: TakenAt): string {
  if (runs.length === 0) return 'The base alone';
  const when = step === 0 ? 'before training' : `after step ${step}`;
  // Of the first training of a visit it goes without saying.
  if (training > 1) return `Training ${training}, ${when}`;
  return when.charAt(0).toUpperCase() + when.slice(1);
}
