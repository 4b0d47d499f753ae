import type { EnginePreference } from '../lab/engine-choice';
import type { Quantity } from '../metrics/quantities';
import type { DataSettings, RunSettings, SampleSettings, SessionSettings } from '../protocol';

/** A run with the look it keeps when others come and go. */
export interface RunConfig extends RunSettings {
  /** Which colour and dash; see `ui/run-style.ts`. */
  style: number;
}

/** What the page shows and how; training is the same without it. */
export interface ViewConfig {
  logScale: boolean;
  /** Weight of the exponential smoothing, 0 to 0.99. */
  smoothing: number;
  /** What the chart of diagnostics shows. */
  quantity: Quantity;
  /** Whether its axis is logarithmic, for each quantity: a learning rate reads best on a plain one. */
  quantityLog: Record<Quantity, boolean>;
}

/** Everything a user can set. Kept across reloads; a link may carry it later. */
export interface Config {
  session: Omit<SessionSettings, 'runs'>;
  runs: RunConfig[];
  data: DataSettings;
  sample: Omit<SampleSettings, 'include_base'>;
  /** Samples before and after training. */
  sampleAround: boolean;
  validationEvery: number;
  checkpointEvery: number;
  engine: EnginePreference;
  view: ViewConfig;
}

/** The runs as the engine wants them. */
export function sessionSettings(config: Config): SessionSettings {
  return { ...config.session, runs: config.runs.map(({ name, optimizer }) => ({ name, optimizer })) };
}
