import type { EngineName } from '../engine-module';

/** What the built page consists of, as addresses under its own. */
export interface OfflineBuild {
  /** Another for every build that differs. */
  revision: string;
  /** What every visit needs. */
  files: string[];
  /** The wasm module of each engine: large, so only the one that is used is kept. */
  engines: Partial<Record<EngineName, string>>;
}

/** What the page tells its service worker. */
export interface OfflineMessage {
  /** This engine computes here, so it is needed without a network too. */
  engine: EngineName;
}
