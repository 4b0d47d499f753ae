import type { Config } from '../../config/config';
import { defaultConfig } from '../../config/defaults';
import { failed, type Result, success } from '../../result';
import type { App } from '../app';
import { bundledData } from '../data/bundled-data';
import { tinyModel } from '../model/tiny-model';

/** What a first look trains with: long enough to see two curves part, short enough to wait for. */
export function firstMinute(config: Config): Config {
  const { session, runs, data } = defaultConfig();
  return {
    ...config,
    session: { ...session, steps: 200 },
    runs: runs.map((run) => ({ ...run, optimizer: { ...run.optimizer, lr: 3e-3 } })),
    data,
    sample: {
      ...config.sample,
      prompt: 'word : river | part of speech : noun | kind of : stream',
      chat: false,
      max_tokens: 24,
    },
    sampleAround: true,
    validationEvery: 50,
  };
}

/** Loads the tiny model and the example data, and trains plain beside preconditioned AdamW. */
export async function trainNow(app: App): Promise<Result<null>> {
  if (app.locked) return failed('run', 'A training is going on; stop it first.');
  const data = await bundledData();
  if (!data.ok) return data;
  const files = await tinyModel();
  if (!files.ok) return files;
  app.change((config) => Object.assign(config, firstMinute(config)));
  const model = await app.lab.loadModel(files.value);
  if (!model.ok) return model;
  // What it says when it fails stands at the data.
  if (!(await app.readData(data.value))) return success(null);
  await app.start();
  return success(null);
}
