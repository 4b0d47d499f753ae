import type { App } from '../app';
import { defaultConfig } from '../config/defaults';
import { readyValue } from '../lab/loadable';
import type { MetricsSource } from './save-metrics';
import type { SettingsOptions } from './settings-panel';

/** What the shared settings are of a language model. */
export const languageSettings: SettingsOptions = {
  defaults: defaultConfig,
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj', 'c_attn'],
  aboutTargets:
    'Layers of every block that carry an adapter; the paper adapts the attention’s q_proj and v_proj.',
  textEncoder: false,
  inParts: true,
};

/** The language model that is trained, and its data, for those who read the numbers elsewhere. */
export function languageSource({ lab, dataSource }: App): MetricsSource {
  const statistics = readyValue(lab.data.value)?.statistics;
  return { model: readyValue(lab.model.value), data: { name: dataSource.value?.name ?? '', statistics } };
}
