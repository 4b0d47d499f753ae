import type { AdapterFiles } from '../engine/worker-api';
import type { DataSettings, DataSummary, ModelSummary } from '../protocol';
import type { Kind } from './supplies';

/** Text to train on, wherever it is. */
export interface DataSource {
  name: string;
  blob: Blob;
}

/** Text, and how it is read. */
export interface TextData {
  source: DataSource;
  settings: DataSettings;
}

/** Language models on texts. */
export const language: Kind<ModelSummary, TextData, DataSummary, AdapterFiles> = {
  loadModel: (api, files, onProgress) => api.loadModel(files, onProgress),
  loadData: (api, { source, settings }, onProgress) =>
    api.loadData(source.blob, source.name, settings, onProgress),
  isSameData: (one, other) =>
    one.source === other.source && JSON.stringify(one.settings) === JSON.stringify(other.settings),
  startFrom: (api, start) => api.startFrom(start),
};
