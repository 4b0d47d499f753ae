import { checkShared } from '../config/check';
import type { Problems } from '../config/problems';
import { GRID, type PictureConfig } from './config';
import { drawingSettings } from './settings';

/** Checks what can be checked without the engine. */
export function checkPictures(config: PictureConfig): Problems {
  const problems = checkShared(config, drawingSettings);
  const lines = config.draw.prompt.split('\n').filter((line) => line.trim() !== '').length;
  if (lines < 1 || lines > GRID) problems.set('captions', `captions must be 1 to ${GRID} lines.`);
  return problems;
}
