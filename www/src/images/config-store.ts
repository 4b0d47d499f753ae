import { readSettings, writeConfig } from '../config/serialise';
import { defaultPictureConfig, type PictureConfig } from './config';

const KEY = 'riemann-lora.images';

/** The settings of the last visit; what is missing or nonsense has its default. */
export function recallPictureConfig(): PictureConfig {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept !== null) return readSettings(kept, defaultPictureConfig()).config;
  } catch {
    // Storage may be forbidden; then every visit is the first.
  }
  return defaultPictureConfig();
}

/** Keeps the settings for the next visit. */
export function keepPictureConfig(config: PictureConfig): void {
  try {
    localStorage.setItem(KEY, writeConfig(config));
  } catch {
    // As above: nothing the user could do about it here.
  }
}
