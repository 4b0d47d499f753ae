import type { ModuleName } from '../engine/engine-module';

/** What the built page consists of, as addresses under its own. */
export interface OfflineBuild {
  /** Another for every build that differs. */
  revision: string;
  /** What every visit needs. */
  files: string[];
  /** The wasm modules: large, so only the one that is used is kept. */
  modules: Partial<Record<ModuleName, string>>;
}

/** What the page tells its service worker. */
export interface OfflineMessage {
  /** This module computes here, so it is needed without a network too. */
  module: ModuleName;
  /** The lock of the page's own build. */
  build: string | null;
}

/** Name of the element in which a page finds the mark of its own build. */
export const BUILD_META = 'riemann-lora-build';
