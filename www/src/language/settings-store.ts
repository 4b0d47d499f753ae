import type { Config } from '../config/config';
import { defaultConfig } from '../config/defaults';
import { type Parsed, readConfig, writeConfig } from '../config/serialise';

const KEY = 'riemann-lora.config';

/** The configuration of the last visit. */
export function recallConfig(): Parsed {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept !== null) return readConfig(kept);
  } catch {
    // Storage may be forbidden; then every visit is the first.
  }
  return { config: defaultConfig(), notes: [] };
}

/** Keeps the configuration for the next visit. */
export function keepConfig(config: Config): void {
  try {
    localStorage.setItem(KEY, writeConfig(config));
  } catch {
    // As above: nothing the user could do about it here.
  }
}
