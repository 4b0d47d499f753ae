import { STYLES } from '../../charts/run-style';
import type { RunConfig } from '../../config/config';
import { methodNames, methodOf } from '../../config/methods';
import { presetName } from '../../config/preset-name';
import { presetOf, settingsButLr } from '../../config/presets';
import type { OptimizerSettings } from '../../protocol';

/** A run of a method. */
export interface RunOfMethod {
  /** Among the runs of the training. */
  index: number;
  lr: number;
}

/** Runs whose optimizers differ in nothing but their learning rate. */
export interface ComparedMethod {
  name: string;
  /** The look of the method; its runs have the same colour where the page chose their looks. */
  style: number;
  optimizer: OptimizerSettings;
  /** At rising learning rates. */
  runs: readonly RunOfMethod[];
}

/** The methods of a training of `steps`, in the order of their first runs. */
export function methodsOf(runs: readonly RunConfig[], steps: number): ComparedMethod[] {
  const groups = new Map<string, [number, RunConfig][]>();
  for (const [index, run] of runs.entries()) {
    const key = settingsButLr(run.optimizer);
    groups.set(key, [...(groups.get(key) ?? []), [index, run]]);
  }
  const methods = [...groups.values()].flatMap((group): ComparedMethod[] => {
    const [first] = group;
    if (first === undefined) return [];
    const [, { name, style, optimizer }] = first;
    const own = group.map(([index, run]) => ({ index, lr: run.optimizer.lr }));
    return [
      {
        name: group.length === 1 ? name : methodNames[methodOf(optimizer)],
        style: style % STYLES,
        optimizer,
        runs: own.sort((one, other) => one.lr - other.lr),
      },
    ];
  });
  return numbered(methods.map((method) => ({ ...method, name: tellingName(method, methods, steps) })));
}

/** The method's name, with its preset where another has the same. */
function tellingName(method: ComparedMethod, all: readonly ComparedMethod[], steps: number): string {
  if (method.runs.length === 1 || all.every((other) => other === method || other.name !== method.name))
    return method.name;
  const preset = presetOf(method.optimizer, steps);
  return preset === undefined ? method.name : presetName(preset.id);
}

/** Numbers behind names that are still the same: two may differ in a detail that no name has. */
function numbered(methods: readonly ComparedMethod[]): ComparedMethod[] {
  return methods.map((method) => {
    const same = methods.filter(({ name }) => name === method.name);
    return same.length === 1 ? method : { ...method, name: `${method.name} ${same.indexOf(method) + 1}` };
  });
}

/** Whether any method is trained at more than one learning rate, so that methods can be compared each at its best. */
export function areRatesCompared(methods: readonly ComparedMethod[]): boolean {
  return methods.some(({ runs }) => new Set(runs.map(({ lr }) => lr)).size > 1);
}
