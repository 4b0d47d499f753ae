import { defaultConfig } from '../config/defaults';
import { allTargets } from '../config/targets';
import type { MetricsSource } from '../experiment/curves/save-metrics';
import type { SettingsOptions } from '../experiment/settings/settings-panel';
import { readyValue } from '../lab/loadable';
import type { App } from './app';

/** What the shared settings are of a language model. */
export const languageSettings: SettingsOptions = {
  defaults: defaultConfig,
  targets: allTargets,
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
