import type { Config, SharedConfig } from './config';
import type { Problems } from './problems';
import { runSettings } from './run-settings';
import { checkSettings, type Setting } from './setting';
import { sharedSettings } from './shared-settings';
import { textSettings } from './text-settings';

/** Checks what every training has, and `own`, the settings of its kind; the engine has the last word. */
export function checkShared<Root extends SharedConfig>(
  config: Root,
  own: readonly Setting<Root>[],
): Problems {
  const problems: Problems = new Map();
  checkSettings(sharedSettings, config, problems);
  if (config.session.targets.length === 0) problems.set('targets', 'Targets must be at least one layer.');
  if (config.runs.length === 0) problems.set('runs', 'Runs must be at least one; add a run.');
  for (const [index, run] of config.runs.entries()) {
    checkSettings(runSettings, run, problems, `runs.${index}.`);
  }
  checkSettings(own, config, problems);
  return problems;
}

/** Checks what can be checked of a training on text without the engine. */
export function checkConfig(config: Config): Problems {
  const problems = checkShared(config, textSettings);
  const { columns } = config.data;
  if (columns !== null && (columns.prompt.length === 0 || columns.completion === '')) {
    const range = 'one for the completion and at least one for the prompt, or none at all';
    problems.set('columns', `Columns must be ${range}.`);
  }
  return problems;
}
