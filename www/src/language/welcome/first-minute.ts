import type { Config } from '../../config/config';
import { defaultConfig } from '../../config/defaults';
import { failed, type Result, success } from '../../result';
import type { App } from '../app';
import { bundledData } from '../data/bundled-data';
import { isTinyModel, tinyModel } from '../model/tiny-model';

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

/** What of the user's a first look puts its own in place of, and the way back to it. */
export interface Replaced {
  /** `settings and data`. */
  words: string;
  bringBack(): Promise<void>;
}

/**
 * Loads the tiny model and the example data, and trains plain beside preconditioned AdamW. `tell` learns what of the
 * user's that replaces, as soon as it does.
 */
export async function trainNow(app: App, tell: (replaced: Replaced) => void): Promise<Result<null>> {
  if (app.locked) return failed('run', 'A training is going on; stop it first.');
  const data = await bundledData();
  if (!data.ok) return data;
  const files = await tinyModel();
  if (!files.ok) return files;
  const replaced = replacedIn(app, data.value.name);
  if (replaced !== null) tell(replaced);
  app.change((config) => Object.assign(config, firstMinute(config)));
  const model = await app.lab.loadModel(files.value);
  if (!model.ok) return model;
  // What it says when it fails stands at the data.
  if (!(await app.readData(data.value))) return success(null);
  await app.start();
  return success(null);
}

/** Null where all that is there is the page's own. */
function replacedIn(app: App, ownData: string): Replaced | null {
  const { lab } = app;
  const config = app.config.value;
  const files = lab.modelFiles;
  const source = app.dataSource.value;
  const settings = ![defaultConfig(), firstMinute(config)].some((own) => trainsAs(own) === trainsAs(config));
  const otherModel = lab.model.value.status === 'ready' && !isTinyModel(files);
  const otherData = source !== null && source.name !== ownData;
  const parts = [
    ...(settings ? ['settings'] : []),
    ...(otherModel ? ['model'] : []),
    ...(otherData ? ['data'] : []),
  ];
  if (parts.length === 0) return null;
  const bringBack = async () => {
    const { view, engine } = app.config.value;
    app.config.set({ ...config, view, engine });
    if (otherModel) await lab.loadModel([...files]);
    // Its settings are others again, whichever data it is.
    await app.readData(source);
  };
  return { words: new Intl.ListFormat('en-GB').format(parts), bringBack };
}

/** Equal for settings that train and write alike, however they are looked at. */
function trainsAs({ session, runs, data, sample, validationEvery }: Config): string {
  return JSON.stringify({ session, runs, data, sample, validationEvery });
}
