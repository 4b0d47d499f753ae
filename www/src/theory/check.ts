import type { Problems } from '../config/problems';
import { checkSettings } from '../config/setting';
import type { TheorySettings } from '../protocol';
import { problemSettings, rateSettings } from './settings';

/** Checks what can be checked without the engine; it has the last word. */
export function checkTheory(settings: TheorySettings): Problems {
  const problems: Problems = new Map();
  checkSettings(problemSettings, settings, problems);
  if (!settings.best_of_grid) checkSettings(rateSettings, settings, problems);
  return problems;
}
