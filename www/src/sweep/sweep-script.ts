import { presetName } from '../config/preset-name';
import type { RunContext } from '../runs/record';
import { peftRun } from '../share/peft-run';
import { python } from '../share/python';
import { basisLines, type ScriptBasis, trainingScript } from '../share/training-script';
import type { SweepConfig } from './config';
import { type Point, pointName, seedOf } from './plan';
import { newRecord, type SweepBasis } from './record';
import results from './sweep-results.py?raw';
import body from './sweep-script.py?raw';

/** What the script of a sweep is made of. */
export interface SweepScriptInput extends ScriptBasis {
  sweep: SweepConfig;
  /** Of the results, so that the page knows which chart they belong to. */
  basis: SweepBasis;
  /** All that are to be trained. */
  points: readonly Point[];
}

const RESULTS = '# RESULTS\n';

/** A Python script that trains the points of a sweep with transformers and PEFT, on Ray, and keeps what the page opens. */
export function sweepScript(input: SweepScriptInput): string {
  const { sweep, basis, points, config } = input;
  const context: RunContext = {
    model: basis.model.name,
    data: basis.data.name,
    dataSettings: basis.data.settings,
    session: basis.session,
    engine: 'peft',
    start: basis.start,
    origin: 'sweep',
  };
  const trials = points.flatMap((point) => [...trialLines(point, sweep, config.session.seed)]);
  const settings = [
    ...basisLines(input),
    `VALIDATE_EVERY = ${python(sweep.validationEvery || config.session.steps)}`,
    '# What the page knows results by. They are of the settings above: with others, save the script anew.',
    `RECORD = ${python(newRecord(basis))}`,
    `CONTEXT = ${python(context)}`,
    '',
    'TRIALS = [',
    ...trials,
    ']',
    '',
  ];
  return trainingScript(body, settings).replace(RESULTS, () => `${results}\n`);
}

function trialLines(point: Point, sweep: SweepConfig, firstSeed: number): string[] {
  const { method, value, lr, rank, repeat, optimizer } = point;
  const again = repeat > 0 ? `, training ${repeat + 1}` : '';
  const name = `${pointName(point, sweep.quantity)}${again}`;
  const run = peftRun(optimizer);
  if ('skipped' in run)
    return [`    {"name": ${python(presetName(method))}, "skipped": ${python(run.skipped)}},`];
  return [
    '    {',
    `        "name": ${python(name)},`,
    `        "method": ${python(method)}, "value": ${python(value)}, "lr": ${python(lr)}, "repeat": ${python(repeat)},`,
    `        "rank": ${python(rank)}, "lora": {"r": ${python(rank)}}, "seed": ${python(seedOf(firstSeed, repeat))},`,
    `        "optimizer": lambda model: ${run.optimizer},`,
    `        "max_grad_norm": ${python(optimizer.max_grad_norm)},`,
    `        "warmup_steps": ${python(optimizer.schedule.warmup_steps)},`,
    `        "decay": ${python(optimizer.schedule.decay)},`,
    `        "settings": ${python(optimizer)},`,
    '    },',
  ];
}
