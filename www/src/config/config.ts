import type { EnginePreference } from '../engine/engine-choice';
import type { Quantity } from '../metrics/quantities';
import type { DataSettings, RunSettings, SampleSettings, SessionSettings } from '../protocol';

/** A run with the look it keeps when others come and go. */
export interface RunConfig extends RunSettings {
  /** Which colour and dash; see `charts/run-style.ts`. */
  style: number;
}

/** Curves of all runs, of those at one learning rate, or of each method's best. */
export type Compared = 'all' | 'rate' | 'best';

/** What the page shows and how; training is the same without it. */
export interface ViewConfig {
  logScale: boolean;
  /** Weight of the exponential smoothing, 0 to 0.99. */
  smoothing: number;
  /** Which runs have curves, where methods are trained at several learning rates. */
  compared: Compared;
  /** The learning rate that `rate` shows; null is one that most methods have. */
  comparedLr: number | null;
  /** What the chart of diagnostics shows. */
  quantity: Quantity;
  /** Whether its axis is logarithmic, for each quantity: a learning rate reads best on a plain one. */
  quantityLog: Record<Quantity, boolean>;
}

/** What a user can set of every training, whatever is learned. */
export interface SharedConfig {
  session: Omit<SessionSettings, 'runs'>;
  runs: RunConfig[];
  validationEvery: number;
  checkpointEvery: number;
  view: ViewConfig;
}

/** Everything a user can set on a language model. Kept across reloads; a link may carry it later. */
export interface Config extends SharedConfig {
  data: DataSettings;
  sample: Omit<SampleSettings, 'include_base'>;
  /** Samples before and after training. */
  sampleAround: boolean;
  engine: EnginePreference;
}

/** The runs as the engine wants them. */
export function sessionSettings(config: SharedConfig): SessionSettings {
  return { ...config.session, runs: config.runs.map(({ name, optimizer }) => ({ name, optimizer })) };
}
