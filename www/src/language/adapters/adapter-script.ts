import { peftScript } from '../../share/peft-script';
import { scriptPanel } from '../../share/script-panel';
import type { Signal } from '../../signal';
import type { App } from '../app';
import { scriptBasis } from '../script-basis';

/** The experiment as a Python script. */
export function adapterScript(app: App, base: Signal<string>): HTMLElement[] {
  const { elements, show } = scriptPanel({
    id: '',
    copy: 'Copy as PEFT script',
    file: 'experiment.py',
    words:
      'The same base, layers, steps, schedules and runs with transformers, PEFT and Accelerate, on one process or several. A method that PEFT does not have is named and skipped.',
    make: () => ({ script: peftScript(scriptBasis(app, base.value)) }),
  });
  app.config.subscribe(show);
  base.subscribe(show);
  return elements;
}
