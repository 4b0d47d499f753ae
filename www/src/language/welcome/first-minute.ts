import { styleOf } from '../../charts/run-style';
import type { Config, RunConfig } from '../../config/config';
import { defaultConfig } from '../../config/defaults';
import { methodNames } from '../../config/methods';
import { presetCalled, settingsOf } from '../../config/presets';
import { failed, type Result, success } from '../../result';
import { setting } from '../../words/numbers';
import type { App } from '../app';
import { bundledData } from '../data/bundled-data';
import { isTinyModel, tinyModel } from '../model/tiny-model';

const STEPS = 80;
const HELD_OUT = 48;

/**
 * Methods in pairs that differ in the preconditioner alone, each pair at the same learning rates: half a decade apart,
 * over the range in which either of the two ends near its best (benchmarks/study/first-minute.json and its result).
 */
const tournament: readonly {
  presets: readonly [plain: string, preconditioned: string];
  lrs: readonly number[];
}[] = [
  { presets: ['sgd', 'scaled-gd'], lrs: [0.1, 0.3, 1] },
  { presets: ['adamw', 'scaled-adamw-safe'], lrs: [3e-3, 0.01, 0.03] },
];

/** What a first look trains: long enough to see methods part, short enough to wait for. */
export function firstMinute(config: Config): Config {
  const { session, data } = defaultConfig();
  return {
    ...config,
    session: { ...session, steps: STEPS, diagnostics: false },
    runs: tournament.flatMap(({ presets, lrs }, pair) =>
      presets.flatMap((id, place) => lrs.map((lr, rate) => runAt(id, lr, styleOf(2 * pair + place, rate)))),
    ),
    data: { ...data, validation: { count: HELD_OUT } },
    sample: {
      ...config.sample,
      prompt: 'word : river | part of speech : noun | kind of : stream',
      chat: false,
      max_tokens: 24,
    },
    sampleAround: true,
    validationEvery: 20,
    view: { ...config.view, compared: 'best' },
  };
}

/** One run of the tournament, with the study's schedule: a warm-up over a tenth of the steps, then linear decay. */
function runAt(id: string, lr: number, style: number): RunConfig {
  const preset = presetCalled(id);
  if (preset === undefined) throw new Error(`there is no preset ${id}`);
  const schedule = { warmup_steps: STEPS / 10, decay: 'linear' as const };
  const name = `${methodNames[preset.method]} at ${setting(lr)}`;
  return { name, style, optimizer: { ...settingsOf(preset, STEPS), lr, schedule } };
}

/** What of the user's a first look puts its own in place of, and the way back to it. */
export interface Replaced {
  /** `settings and data`. */
  words: string;
  bringBack(): Promise<void>;
}

/**
 * Loads the tiny model and the example data, and trains SGD, AdamW and both preconditioned, each at several learning
 * rates. `tell` learns what of the user's that replaces, as soon as it does.
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
    const { compared, comparedLr } = config.view;
    app.config.set({ ...config, view: { ...view, compared, comparedLr }, engine });
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
