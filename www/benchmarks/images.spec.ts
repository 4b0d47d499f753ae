import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { readPictureFile } from '../src/images/pictures/picture-file';
import { type DrawSettings, PRESETS } from '../src/protocol';
import { BenchPage } from './bench-page';
import { moduleOf, sessionPlaces } from './session-bench';

/** How fast pictures are learned and drawn in the browser; scripts/bench-images says how it is called. */
const output = process.env.IMAGES_OUTPUT ?? '';
const here = import.meta.dirname;
const icons = join(here, '..', '..', 'models', 'icons');
/** As the lab has it on two cores: two runs, each in a worker of its own. */
const WORKERS = 2;
const [STEPS, ROUNDS] = [10, 4];

const SCRIPT = '/images-worker.js';

const best = (walls: number[]) => Math.min(...walls);

test('steps and drawings of the CPU module', async ({ page }) => {
  const bench = await BenchPage.open(page, {
    ...sessionPlaces,
    [SCRIPT]: join(here, 'images-worker.js'),
    '/icons': icons,
  });
  const ask = <Answer>(worker: number, question: string, body: unknown) =>
    bench.ask<Answer>(`worker ${worker}`, SCRIPT, question, body);
  const all = <Answer>(question: string, body: (worker: number) => unknown) =>
    Promise.all(Array.from({ length: WORKERS }, (_, worker) => ask<Answer>(worker, question, body(worker))));

  const subject = readPictureFile('subject', readFileSync(join(icons, 'subject.safetensors')));
  if (!subject.ok) throw new Error(subject.failure.message);
  const { pictures, validation } = subject.value;
  const module = moduleOf('cpu');
  // One run with a preconditioner and one without.
  const runs = [true, false].map((scaled) => {
    const preset = PRESETS.find(({ optimizer }) => (optimizer.preconditioner !== null) === scaled);
    if (preset === undefined) throw new Error('no such preset');
    return { name: preset.id, optimizer: preset.optimizer };
  });
  const settings = {
    rank: 4,
    alpha: 4,
    dropout: 0,
    targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    batch_size: 8,
    micro_batch_size: 0,
    gradient_checkpointing: false,
    steps: 1000,
    seed: 0,
    diagnostics: true,
  };
  await all('load', (worker) => ({
    module,
    captions: pictures.map(({ caption }) => caption),
    pixels: pictures.flatMap(({ pixels }) => [...pixels]),
    validation,
    settings: { ...settings, runs: [runs[worker]] },
  }));
  const order: DrawSettings = {
    captions: pictures.slice(0, 8).map(({ caption }) => caption),
    steps: 20,
    guidance: 3,
    seed: 0,
    runs: [0],
    include_base: false,
  };
  await all('steps', () => ({ count: 3 }));
  const training: number[] = [];
  const alone: number[] = [];
  const together: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const steps = await all<{ wall: number }>('steps', () => ({ count: STEPS }));
    training.push(Math.max(...steps.map(({ wall }) => wall)));
    alone.push((await ask<{ wall: number }>(0, 'draw', { settings: order })).wall);
    const drawn = await all<{ bytes: number; wall: number }>('draw', () => ({ settings: order }));
    expect(drawn[0]?.bytes).toBe(8 * 24 * 24 * 4);
    together.push(Math.max(...drawn.map(({ wall }) => wall)));
  }
  bench.end();
  const found = {
    figures: {
      steps_per_second_two_runs: STEPS / best(training),
      seconds_grid_of_8: best(alone),
      // Both runs draw at once, each on a core.
      seconds_grids_of_two_runs: best(together),
    },
    module,
    batch_size: settings.batch_size,
    rank: settings.rank,
    drawing_steps: order.steps,
  };
  if (output === '') process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else writeFileSync(output, JSON.stringify(found));
});
