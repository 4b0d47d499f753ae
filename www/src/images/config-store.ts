import { readSettings, writeConfig } from '../config/serialise';
import { recall, rememberSoon } from '../store/remembered';
import { defaultPictureConfig, type PictureConfig } from './config';
import { drawingSettings } from './settings';

const KEY = 'riemann-lora.images';

/** The settings of this tab, or of the last visit; what is missing or nonsense has its default. */
export function recallPictureConfig(): PictureConfig {
  const kept = recall(KEY);
  return kept === null
    ? defaultPictureConfig()
    : readSettings(kept, defaultPictureConfig(), drawingSettings).config;
}

/** Keeps the settings for the next visit. */
export function keepPictureConfig(config: PictureConfig): void {
  rememberSoon(KEY, () => writeConfig(config));
}
