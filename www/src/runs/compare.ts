import { methodNames, methodOf } from '../config/methods';
import type { DampingKind } from '../protocol';
import { measure, setting } from '../words/numbers';
import type { RunRecord } from './record';
import { columns, endOf } from './table';

const engineNames = { cpu: 'CPU', webgpu: 'WebGPU', peft: 'PEFT, by a script' } as const;

/** One setting of two runs. */
export interface Difference {
  name: string;
  values: [string, string];
  differs: boolean;
}

/** Settings and outcomes of two runs, side by side. A setting that neither has is left out. */
export function compareRuns(one: RunRecord, other: RunRecord): Difference[] {
  const [left, right] = [factsOf(one), factsOf(other)];
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.map((name) => {
    const values: [string, string] = [left.get(name) ?? '–', right.get(name) ?? '–'];
    return { name, values, differs: values[0] !== values[1] };
  });
}

const dampingKinds = {
  absolute: 'absolute',
  relative: 'a share, of now',
  initial: 'a share, of the start',
} satisfies Record<DampingKind, string>;

function factsOf(run: RunRecord): Map<string, string> {
  const { optimizer, session, dataSettings } = run;
  const { preconditioner, schedule } = optimizer;
  const when = columns.find(({ name }) => name === 'When');
  const facts: [string, string][] = [
    ['Method', methodNames[methodOf(optimizer)]],
    ['lr', setting(optimizer.lr)],
    ['lr of B ÷ A', setting(optimizer.lr_ratio_b)],
    ['Trains', { both: 'both factors', b: 'lora_b only', alternating: 'in turns' }[optimizer.trains]],
  ];
  if (preconditioner !== null) {
    facts.push(
      ['damping δ', setting(preconditioner.damping)],
      ['δ is', dampingKinds[preconditioner.damping_kind]],
      ['Order', preconditioner.order],
      ['Scale-aware', preconditioner.scale_aware ? 'yes' : 'no'],
      ['Multiplies', `the ${preconditioner.place}`],
      ['Tangent', preconditioner.tangent ? 'yes' : 'no'],
      ['Realign momentum', preconditioner.realigns_momentum ? 'yes' : 'no'],
    );
  }
  if (optimizer.rule === 'adamw')
    facts.push(['Betas', optimizer.betas.map(setting).join(', ')], ['eps', setting(optimizer.eps)]);
  else facts.push(['momentum', setting(optimizer.momentum)]);
  facts.push(
    ['weight_decay', setting(optimizer.weight_decay)],
    ['max_grad_norm', optimizer.max_grad_norm === null ? 'none' : setting(optimizer.max_grad_norm)],
    // Runs of before had no such setting.
    ['max_step_a', typeof optimizer.max_step_a === 'number' ? setting(optimizer.max_step_a) : 'none'],
    ['Warm-up steps', setting(schedule.warmup_steps)],
    ['Then lr', { constant: 'stays', linear: 'falls linearly', cosine: 'falls as a cosine' }[schedule.decay]],
    ['Rank', setting(session.rank)],
    ['Alpha', setting(session.alpha)],
    ['rsLoRA', session.use_rslora ? 'yes' : 'no'],
    ['Dropout', setting(session.dropout)],
    ['Targets', session.targets.join(', ')],
    ['Batch', setting(session.batch_size)],
    ['Steps', `${run.stepsDone} of ${session.steps}`],
    ['Seed', setting(session.seed)],
    ['Model', run.model],
    ['Data', run.data],
    ['Sequence length', setting(dataSettings.sequence_length)],
    ['Loss on', dataSettings.loss_on],
    ['Starts from', run.start ?? 'fresh adapters'],
    ['Engine', engineNames[run.engine]],
    ['First loss', measure(run.firstLoss)],
    ['Last loss', measure(run.lastLoss)],
    ['Validation loss', measure(run.validationLoss)],
    ['End', endOf(run)],
    ['When', when?.text(run) ?? ''],
  );
  return new Map(facts);
}
