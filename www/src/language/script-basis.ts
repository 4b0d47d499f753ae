import type { Config } from '../config/config';
import { readyValue } from '../lab/loadable';
import { UNKNOWN_BASE } from '../share/base-id';
import type { ScriptBasis } from '../share/training-script';
import type { App } from './app';

/** What a script trains with the settings of now; `base` is where Python finds the base, empty where that is unknown. */
export function scriptBasis(app: App, base: string): ScriptBasis & { config: Config } {
  const data = readyValue(app.lab.data.value);
  const config = structuredClone(app.config.value);
  config.data.format ??= data?.detected.format ?? null;
  return {
    config,
    base: base || UNKNOWN_BASE,
    architecture: readyValue(app.lab.model.value)?.architecture ?? 'llama',
    data: app.dataSource.value ?? { name: '' },
    validation: app.validationSource.value,
  };
}
