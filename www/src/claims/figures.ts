import found from './figures.json';

/** Two methods that differ in the preconditioner, each at its best rate, over seeds. */
export interface PairFigures {
  plain: string;
  preconditioned: string;
  plainLoss: number;
  preconditionedLoss: number;
  /** Mean over seeds of the preconditioned loss less the plain one, with its 95 % interval. */
  difference: number;
  low: number;
  high: number;
  seeds: number;
  /** Decades of learning rate within 5 % of the own best: between what was tried and its neighbours. */
  plainWidth: WidthFigures;
  preconditionedWidth: WidthFigures;
}

/** Bounds of a width in decades; `most` is null where the grid ends within it. */
export interface WidthFigures {
  least: number;
  most: number | null;
}

/** The losses of two methods on a concept of the text-to-image model. */
export interface PictureFigures {
  concept: string;
  plain: string;
  preconditioned: string;
  plainLoss: number;
  preconditionedLoss: number;
  /** How many of the rates, a decade apart, are within 5 % of the own best. */
  plainRates: number;
  preconditionedRates: number;
}

/** Steps until the convex network is solved, by condition number; null did not arrive. */
export type IterationFigures = Record<string, number | null>;

/** What the claims are judged by, out of the files of `benchmarks/results`. A test holds that they are those. */
export interface ClaimFigures {
  /** The verdicts of the study; null until it is finished. */
  study: StudyFigures | null;
  firstMinute: PairFigures[];
  pictures: PictureFigures[];
  /** Time of a step with the preconditioner over one without, by rank. */
  overhead: Record<string, number>;
  theory: { change: { gd: IterationFigures; scaled: IterationFigures }; data: { scaled: IterationFigures } };
  /** Exponent of width of the best learning rate; 0 does not depend on width. */
  width: { adam: number; gradientScaled: number; updateScaled: number };
}

/** What the study decided, by pair of methods and claim, over both models. */
export interface StudyFigures {
  pairs: Record<string, { better: StudyVerdict; robust: StudyVerdict }>;
}

export type StudyVerdict = 'confirmed' | 'refuted' | 'unresolved';

export const figures: ClaimFigures = found as ClaimFigures;
