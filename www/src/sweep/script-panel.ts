import { readyValue } from '../lab/loadable';
import { modelNameOf } from '../language/model/model-names';
import { scriptBasis } from '../language/script-basis';
import { baseId } from '../share/base-id';
import { scriptPanel } from '../share/script-panel';
import { basisOf } from './record';
import type { Sweep } from './sweep';
import { sweepScript } from './sweep-script';

/** The sweep as a Python script. */
export function sweepScriptPanel(sweep: Sweep): HTMLElement[] {
  const { app } = sweep;
  const make = () => {
    const { quantity } = sweep.config.value;
    const basis = basisOf(app, quantity);
    const model = readyValue(app.lab.model.value);
    if (basis === undefined || model === undefined)
      return { missing: 'Load a model and data in the Language tab first.' };
    if (sweep.problems.value.size > 0) return { missing: 'Mend the marked fields first.' };
    return {
      script: sweepScript({
        ...scriptBasis(app, baseId(model, modelNameOf(app.lab.modelFiles))),
        sweep: sweep.config.value,
        basis,
        points: sweep.wanted,
      }),
    };
  };
  const { elements, show } = scriptPanel({
    id: 'sweep',
    copy: 'Copy as script',
    file: 'sweep.py',
    words:
      'The same runs with transformers and PEFT on Ray: all processors or GPUs of a machine, or a cluster. It keeps what has finished, goes on from there, and its results open here.',
    make,
  });
  sweep.measured.watch(show);
  return elements;
}
