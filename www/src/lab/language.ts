import type { AdapterFiles, NamedBlob } from '../engine/worker-api';
import type { DataSettings, DataSummary, ModelSummary } from '../protocol';
import type { Kind } from './supplies';

/** Text to train on, wherever it is. */
export interface DataSource extends NamedBlob {
  /** Of the files that it was made of, in their order, where others can download them too. */
  addresses?: readonly string[];
}

/** Text, and how it is read. */
export interface TextData {
  source: DataSource;
  /** What is only measured on; null keeps a part of the source for that. */
  validation: DataSource | null;
  settings: DataSettings;
}

/** Language models on texts. */
export const language: Kind<ModelSummary, TextData, DataSummary, AdapterFiles> = {
  loadModel: (api, files, onProgress) => api.loadModel(files, onProgress),
  loadData: (api, { source, validation, settings }, onProgress) =>
    api.loadData(source, validation, settings, onProgress),
  isSameData: (one, other) =>
    one.source === other.source &&
    one.validation === other.validation &&
    JSON.stringify(one.settings) === JSON.stringify(other.settings),
  startFrom: (api, start) => api.startFrom(start),
};
