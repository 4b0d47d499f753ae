import type { Config } from '../config/config';
import { peftRun } from './peft-run';
import body from './peft-script.py?raw';
import { comment, python } from './python';
import { basisLines, type ScriptBasis, trainingScript } from './training-script';

/** What a script is made of. */
export interface ScriptInput extends ScriptBasis {
  config: Config;
}

/** A Python script that trains the runs of the page with transformers, PEFT and Accelerate. */
export function peftScript(input: ScriptInput): string {
  const { config } = input;
  const runs = config.runs.flatMap(({ name, optimizer }) => {
    const run = peftRun(optimizer);
    if ('skipped' in run) {
      return [
        `    # ${comment(name)} is skipped: ${run.skipped}.`,
        `    {"name": ${python(name)}, "skipped": ${python(run.skipped)}},`,
      ];
    }
    return [
      '    {',
      `        "name": ${python(name)},`,
      `        "optimizer": lambda model: ${run.optimizer},`,
      `        "max_grad_norm": ${python(optimizer.max_grad_norm)},`,
      `        "warmup_steps": ${python(optimizer.schedule.warmup_steps)},`,
      `        "decay": ${python(optimizer.schedule.decay)},`,
      '    },',
    ];
  });
  const every = `VALIDATE_EVERY = ${python(config.validationEvery)}`;
  return trainingScript(body, [...basisLines(input), every, '', 'RUNS = [', ...runs, ']', '']);
}
