import { between, seeds, whole } from '../config/range';
import type { NumberSetting, Setting, TextSetting } from '../config/setting';
import type { PictureConfig } from './config';

/** What is drawn. */
export const drawPrompt: TextSetting<PictureConfig> = {
  kind: 'text',
  field: 'captions',
  label: 'Draw',
  help: 'One caption a line; they share the eight pictures, which all begin with the same noise in every row.',
  rows: 4,
  at: 'draw.prompt',
};

const drawEvery: NumberSetting<PictureConfig> = {
  kind: 'number',
  field: 'draw_every',
  label: 'Draw every',
  unit: 'steps',
  help: 'Training steps between two grids; 0 draws before the first and after the last alone.',
  name: 'draw_every',
  at: 'drawEvery',
  range: whole(0, 100_000, 'a whole number; 0 is never'),
};

/** How noise becomes pictures, in the order of the page. */
export const drawSettings: readonly Setting<PictureConfig>[] = [
  {
    kind: 'number',
    field: 'draw_seed',
    label: 'Seed',
    help: 'Of the noise: the same seed draws the same pictures.',
    name: 'draw_seed',
    at: 'draw.seed',
    range: seeds,
  },
  {
    kind: 'number',
    field: 'guidance',
    label: 'Guidance',
    help: 'How far the caption is followed: 1 is as it was learned, larger values exaggerate it.',
    name: 'guidance',
    at: 'draw.guidance',
    range: between(0, 20, 'from 0 to 20'),
  },
  {
    kind: 'number',
    field: 'draw_steps',
    label: 'Drawing steps',
    help: 'Steps from noise to picture; fewer are faster.',
    name: 'draw_steps',
    at: 'draw.steps',
    range: whole(1, 100),
  },
  drawEvery,
];

/** All settings of a training on pictures beside those of any training. */
export const drawingSettings: readonly Setting<PictureConfig>[] = [drawPrompt, ...drawSettings];
