import type { RunConfig, SharedConfig } from '../config/config';
import { defaultConfig } from '../config/defaults';
import { methodNames } from '../config/methods';
import { presetCalled, settingsOf } from '../config/presets';
import type { DrawSettings, SessionSettings, Target } from '../protocol';

/** How pictures are drawn. */
export interface DrawConfig extends Pick<DrawSettings, 'steps' | 'guidance' | 'seed'> {
  /** Captions, one a line; they share the pictures of a grid. */
  prompt: string;
}

/** Everything a user can set of a training on pictures. */
export interface PictureConfig extends SharedConfig {
  draw: DrawConfig;
  /** Steps between two grids of drawings while it trains; 0 draws before and after alone. */
  drawEvery: number;
}

/** Pictures of a grid, from as many noises. */
export const GRID = 8;
/** Layers of a block that can carry adapters. */
export const pictureTargets: readonly Target[] = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
];

const STEPS = 200;

/** A comparison that can be chosen as a whole. */
export interface Comparison {
  id: string;
  name: string;
  about: string;
  /** Ids of presets. */
  presets: readonly string[];
  lr: number;
}

/** What was measured of the bundled subject is in EXPERIMENTS.md. */
export const comparisons: readonly [Comparison, ...Comparison[]] = [
  {
    id: 'adamw',
    name: 'AdamW, 1e-3',
    about: 'Both learn the subject. Look at the losses: the scaled one gets lower.',
    presets: ['adamw', 'scaled-adamw-safe'],
    lr: 1e-3,
  },
  {
    id: 'gd',
    name: 'Gradient descent, 1e-1',
    about:
      'Where the preconditioner shows most: scaled GD learns the subject, SGD little more than its colours.',
    presets: ['sgd', 'scaled-gd'],
    lr: 1e-1,
  },
  {
    id: 'large',
    name: 'AdamW, 1e-1',
    about: 'A rate that is too large: the drawings of both become noise.',
    presets: ['adamw', 'scaled-adamw-safe'],
    lr: 1e-1,
  },
];

/** The runs of a comparison in a training of `steps`. */
export function comparisonRuns({ presets, lr }: Comparison, steps: number): RunConfig[] {
  return presets.flatMap((id, style) => {
    const preset = presetCalled(id);
    if (preset === undefined) return [];
    const optimizer = { ...settingsOf(preset, steps), lr };
    return [{ style, name: methodNames[preset.method], optimizer, text_lr: null }];
  });
}

/** What the tab opens with. */
export function defaultPictureConfig(): PictureConfig {
  const { view } = defaultConfig();
  return {
    session: {
      rank: 4,
      alpha: 4,
      use_rslora: false,
      dropout: 0,
      targets: [...pictureTargets],
      batch_size: 8,
      micro_batch_size: 0,
      gradient_checkpointing: false,
      half_precision: false,
      steps: STEPS,
      seed: 0,
      diagnostics: true,
    },
    runs: comparisonRuns(comparisons[0], STEPS),
    validationEvery: 25,
    checkpointEvery: 25,
    view,
    draw: { prompt: 'red heart', steps: 20, guidance: 3, seed: 0 },
    drawEvery: 50,
  };
}

/** Captions of a grid's pictures: those of the prompt, again and again until there are enough. */
export function captionsOf(prompt: string): string[] {
  const lines = prompt.split('\n').map((line) => line.trim());
  const captions = lines.filter((line) => line !== '').slice(0, GRID);
  if (captions.length === 0) return [];
  return Array.from({ length: GRID }, (_, index) => captions[index % captions.length] ?? '');
}

/** The runs as the engine wants them, with the learning rates of their text encoders. */
export function pictureSettings(config: PictureConfig): SessionSettings {
  const runs = config.runs.map(({ name, optimizer, text_lr = null }) => ({ name, optimizer, text_lr }));
  return { ...config.session, runs };
}
