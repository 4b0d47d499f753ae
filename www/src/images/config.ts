import type { RunConfig, SharedConfig } from '../config/config';
import { defaultConfig } from '../config/defaults';
import { methodNames } from '../config/methods';
import { presetCalled, settingsOf } from '../config/presets';
import { commonTargets } from '../config/targets';
import type { DrawSettings, SessionSettings } from '../protocol';

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
export const pictureTargets = commonTargets;

const STEPS = 200;

/** A comparison that can be chosen as a whole. */
export interface Comparison {
  id: string;
  name: string;
  about: string;
  /** Ids of presets, and the learning rate of each. */
  runs: readonly (readonly [preset: string, lr: number])[];
}

/** Rates and words follow from what was measured of the bundled subject (benchmarks/results/images.json). */
export const comparisons: readonly [Comparison, ...Comparison[]] = [
  {
    id: 'best',
    name: 'Four methods, each at its best rate',
    about:
      'Scaled GD learns the subject where SGD learns little more than its colours; scaled AdamW gets somewhat lower than ' +
      'AdamW, and both draw the subject.',
    runs: [
      ['sgd', 1e-1],
      ['scaled-gd', 1e-1],
      ['adamw', 1e-3],
      ['scaled-adamw-safe', 1e-3],
    ],
  },
  {
    id: 'low',
    name: 'Gradient descent, 1e-2',
    about: 'A rate below the best: SGD does not move, and scaled GD is nearly where SGD is at its best.',
    runs: [
      ['sgd', 1e-2],
      ['scaled-gd', 1e-2],
    ],
  },
  {
    id: 'large',
    name: 'AdamW, 1e-1',
    about: 'A rate that is too large: the drawings of both become noise.',
    runs: [
      ['adamw', 1e-1],
      ['scaled-adamw-safe', 1e-1],
    ],
  },
];

/** The runs of a comparison in a training of `steps`. */
export function comparisonRuns({ runs }: Comparison, steps: number): RunConfig[] {
  return runs.flatMap(([id, lr], style) => {
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
      layer_diagnostics: true,
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
