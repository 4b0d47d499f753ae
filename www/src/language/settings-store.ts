import type { Config } from '../config/config';
import { defaultConfig } from '../config/defaults';
import { type Parsed, readConfig, writeConfig } from '../config/serialise';
import { recall, rememberSoon } from '../store/remembered';

const KEY = 'riemann-lora.config';

/** The configuration of this tab, or of the last visit. */
export function recallConfig(): Parsed {
  const kept = recall(KEY);
  return kept === null ? { config: defaultConfig(), notes: [] } : readConfig(kept);
}

/** Keeps the configuration for the next visit. */
export function keepConfig(config: Config): void {
  rememberSoon(KEY, () => writeConfig(config));
}
