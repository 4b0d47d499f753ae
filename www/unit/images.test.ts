import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readSettings, writeConfig } from '../src/config/serialise';
import { methodsOf } from '../src/experiment/comparison/methods';
import { pairsOf } from '../src/experiment/comparison/verdict';
import { takenAtWords } from '../src/experiment/taken-at';
import { checkPictures } from '../src/images/check';
import {
  captionsOf,
  comparisonRuns,
  comparisons,
  defaultPictureConfig,
  GRID,
  pictureSettings,
} from '../src/images/config';
import { PictureExperiment } from '../src/images/experiment';
import { gridSvg } from '../src/images/grid-svg';
import { ICON_FILES } from '../src/images/icon-model';
import { lanesOf } from '../src/images/lanes';
import { PictureLab } from '../src/images/picture-lab';
import { type Picture, type PictureSet, rgba } from '../src/images/pictures/picture';
import { readPictureFile } from '../src/images/pictures/picture-file';
import { drawingSettings } from '../src/images/settings';
import { Signal } from '../src/signal';
import { sha256 } from '../src/store/digest';
import { FakeWorker } from './fake-worker';

const models = join(import.meta.dirname, '..', '..', 'models', 'icons');
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(models, name)));

const picture = (caption: string, grey: number): Picture => ({
  name: caption,
  caption,
  pixels: new Uint8Array(24 * 24 * 3).fill(grey),
});
const set: PictureSet = {
  name: 'set',
  pictures: [picture('grinning zib', 10), picture('zib face', 20)],
  validation: 1,
};

async function open(edit: (worker: FakeWorker) => void = () => {}) {
  const lab = new PictureLab(() => new FakeWorker(edit), { cores: 2, memory: 0 });
  const config = defaultPictureConfig();
  config.session.steps = 4;
  config.drawEvery = 2;
  for (const [run, lr] of [10, 20].entries()) {
    const { optimizer } = config.runs[run] ?? {};
    if (optimizer !== undefined) optimizer.lr = lr;
  }
  const images = new PictureExperiment(lab, new Signal(config));
  await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
  await lab.loadModel([new File(['x'], 'model.safetensors')]);
  return images;
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
};

beforeEach(() => {
  FakeWorker.all = [];
});

describe('settings', () => {
  test('captions of a prompt share the pictures of a grid', () => {
    expect(captionsOf(' a \n\n b')).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b']);
    expect(captionsOf(' \n')).toEqual([]);
    expect(captionsOf('abcdefghij'.split('').join('\n'))).toHaveLength(GRID);
  });

  test('a number out of range is told at its field', () => {
    const config = defaultPictureConfig();
    expect(checkPictures(config).size).toBe(0);
    Object.assign(config.draw, { prompt: '', steps: 101, guidance: -1, seed: 0.5 });
    config.drawEvery = -1;
    Object.assign(config.runs[1] ?? {}, { text_lr: -1 });
    expect([...checkPictures(config).keys()].sort()).toEqual([
      'captions',
      'draw_every',
      'draw_seed',
      'draw_steps',
      'guidance',
      'runs.1.text_lr',
    ]);
  });

  test('runs of a comparison differ in their optimizer alone, and come with both learning rates', () => {
    for (const comparison of comparisons) {
      const runs = comparisonRuns(comparison, 200);
      const methods = methodsOf(runs, 200);
      expect(methods).toHaveLength(runs.length);
      const pairs = pairsOf(methods);
      expect(pairs).toHaveLength(runs.length / 2);
      for (const { plain, preconditioned } of pairs)
        expect(preconditioned.optimizer.lr).toBe(plain.optimizer.lr);
    }
    expect(pictureSettings(defaultPictureConfig()).runs[0]?.text_lr).toBeNull();
  });

  test('the comparison of four has each method at its best rate of those that were measured', () => {
    const file = join(import.meta.dirname, '../../benchmarks/results/images.json');
    const { figures } = JSON.parse(readFileSync(file, 'utf8')) as {
      figures: { runs: { method: string; lr: number; validation_loss: { subject: number } }[] };
    };
    for (const [id, lr] of comparisons[0].runs) {
      const method = id.replace('-safe', '');
      const own = figures.runs.filter((run) => run.method === method);
      const best = own.reduce((one, other) =>
        other.validation_loss.subject < one.validation_loss.subject ? other : one,
      );
      expect(best.lr, id).toBe(lr);
    }
  });

  test('settings come back as they were kept, the learning rate of words too', () => {
    const config = defaultPictureConfig();
    Object.assign(config.runs[0] ?? {}, { text_lr: 1e-4 });
    config.draw.prompt = 'a\nb';
    const read = readSettings(writeConfig(config), defaultPictureConfig(), drawingSettings);
    expect(read).toEqual({ config, notes: [] });
    const broken = readSettings(
      JSON.stringify({ version: 1, drawEvery: 'often', runs: [{ text_lr: 'x' }] }),
      config,
      drawingSettings,
    );
    expect(broken.config.drawEvery).toBe(50);
    expect(broken.config.runs[0]?.text_lr).toBeNull();
    expect(broken.notes).toHaveLength(2);
  });
});

describe('grids', () => {
  test('are drawn before training, while it goes on and at its end, from the base alone at first', async () => {
    const images = await open();
    images.shelf.use(set);
    expect(await images.readPictures()).toBe(true);
    await images.draw();
    expect(images.grids.grids.value.map(takenAtWords)).toEqual(['The base alone']);
    await images.start();
    await until(() => images.grids.busy.value === 0);
    const grids = images.grids.grids.value.filter(({ training }) => training === 1);
    expect(grids.map(({ step }) => step)).toEqual([0, 2, 4]);
    const [before, , after] = grids;
    if (before === undefined || after === undefined) throw new Error('there are no grids');
    // A run that has done nothing draws what the base draws; nothing of it was asked for.
    expect(before.lanes.get(1)).toBe(before.lanes.get(null));
    expect([...after.lanes.keys()].sort()).toEqual([0, 1, 2, 3, null]);
    expect(after.lanes.get(0)).toHaveLength(GRID);
    expect(after.lanes.get(0)?.[0]).not.toEqual(after.lanes.get(1)?.[0]);
    expect(after.lanes.get(null)).toBe(before.lanes.get(null));
  });

  test('what they show: pictures to learn where the captions are theirs, base and runs', async () => {
    const images = await open();
    images.shelf.use(set);
    expect(images.config.value.draw.prompt).toBe('grinning zib\nzib face');
    await images.readPictures();
    await images.start();
    await until(() => images.grids.busy.value === 0);
    const last = images.grids.grids.value.at(-1);
    if (last === undefined) throw new Error('there is no grid');
    const lanes = lanesOf(last, set.pictures, []);
    expect(lanes.map(({ name }) => name)).toEqual([
      'To learn',
      'Base',
      'SGD',
      'Scaled GD',
      'AdamW',
      'Scaled AdamW',
    ]);
    expect(lanes[0]?.captions).toHaveLength(GRID);
    expect(lanes[2]?.about).toBe('Drawn by SGD, after step 4: grinning zib, zib face, 4 pictures each');
    expect(lanesOf(last, [], [])[0]?.name).toBe('Base');
    const rows = lanes.map(({ name, style, note }) => ({ name, style, note, pictures: ['data:,'] }));
    const look = {
      ground: 'a',
      ink: 'b',
      quietInk: 'c',
      grid: 'd',
      font: 'e',
      colourOf: () => 'f',
      dashOf: () => [],
    };
    const { svg } = gridSvg({ title: 'A & B', captions: last.captions, rows }, look);
    expect(svg).toContain('A &amp; B');
    expect(svg.match(/<image /g)).toHaveLength(6);
  });

  test.each([
    ['before a training', 0],
    ['while runs train', 2],
    ['at the end', 4],
  ])('are drawn by a new worker where one dies of it %s', async (_, step) => {
    const images = await open((worker) => {
      if (FakeWorker.all.length === 1) worker.diesDrawingAt = step;
    });
    images.change((config) => {
      config.checkpointEvery = 2;
    });
    images.shelf.use(set);
    await images.readPictures();
    if (step === 0) await images.draw();
    else await images.start();
    await until(() => images.grids.busy.value === 0);
    expect(FakeWorker.all.length).toBeGreaterThan(1);
    expect(images.grids.failure.value).toBeNull();
    const grids = images.grids.grids.value;
    if (step === 0) {
      expect(grids.map((grid) => [...grid.lanes.keys()])).toEqual([[null]]);
      return;
    }
    expect(images.lab.phase.value).toBe('finished');
    expect(images.lab.failure.value).toBeNull();
    const drawn = grids.filter(({ runs }) => runs.length > 0);
    expect(drawn.map((grid) => [grid.step, [...grid.lanes.keys()].sort()])).toEqual(
      [0, 2, 4].map((each) => [each, [...images.config.value.runs.keys(), null]]),
    );
    const greys = drawn.at(-1)?.lanes;
    expect([0, 1].map((run) => greys?.get(run)?.[0]?.[0])).toEqual([10, 20]);
  });

  test('that cost every worker its life are said to have failed, and can be asked for again', async () => {
    let deadly = true;
    const images = await open((worker) => {
      if (deadly) worker.diesDrawingAt = 0;
    });
    await images.draw();
    expect(images.grids.busy.value).toBe(0);
    expect(images.grids.failure.value?.message).toContain('memory');
    deadly = false;
    for (const worker of FakeWorker.all) worker.calm();
    await images.draw();
    expect(images.grids.failure.value).toBeNull();
    expect(images.grids.grids.value).toHaveLength(1);
  });

  test('what is suggested while it draws is drawn afterwards', async () => {
    const images = await open();
    const drawing = images.draw();
    images.shelf.use(set);
    await drawing;
    await until(() => images.grids.grids.value.length === 2);
    expect(images.grids.grids.value.map(({ captions }) => captions[0])).toEqual([
      'red heart',
      'grinning zib',
    ]);
  });

  test('stay when the engine changes, and leave with the pictures that their runs learned', async () => {
    const images = await open();
    images.shelf.use(set);
    await images.readPictures();
    await images.start();
    await until(() => images.grids.busy.value === 0);
    const before = images.grids.grids.value;
    await images.lab.useEngine({ engine: 'webgpu', reason: '', gpuUsable: true });
    expect(images.grids.grids.value).toBe(before);
    expect(images.lab.phase.value).toBe('finished');
    images.shelf.caption(0, 'other');
    expect(await images.readPictures()).toBe(true);
    expect(images.lab.phase.value).toBe('idle');
    expect(images.grids.grids.value).toEqual([]);
    // What was learned can still leave.
    expect(images.exportable.value?.isShown).toBe(false);
    expect((await images.lab.exportAdapter(1)).ok).toBe(true);
  });

  test('a prompt of the user stays when pictures are chosen', async () => {
    const images = await open();
    images.change(({ draw }) => {
      draw.prompt = 'mine';
    });
    images.shelf.use(set);
    expect(images.config.value.draw.prompt).toBe('mine');
  });
});

describe('pictures', () => {
  test('changed captions are read again at Start, and end no training before', async () => {
    const images = await open();
    images.shelf.use(set);
    await images.readPictures();
    await images.start();
    await until(() => images.grids.busy.value === 0);
    images.shelf.caption(0, 'other');
    expect(images.stale.value).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(images.lab.trainees.length).toBeGreaterThan(0);
    await images.start();
    expect(images.stale.value).toBe(false);
    await until(() => images.grids.busy.value === 0);
  });

  test('the last one that is removed leaves no set, and validation never takes all', () => {
    const lab = new PictureLab(() => new FakeWorker(), { cores: 1, memory: 0 });
    const { shelf } = new PictureExperiment(lab, new Signal(defaultPictureConfig()));
    shelf.use(set);
    shelf.remove(0);
    expect(shelf.set.value?.validation).toBe(0);
    shelf.remove(0);
    expect(shelf.set.value).toBeNull();
  });

  test('more pictures than there are cannot be kept for validation, and training waits for a number that can', () => {
    const lab = new PictureLab(() => new FakeWorker(), { cores: 1, memory: 0 });
    const images = new PictureExperiment(lab, new Signal(defaultPictureConfig()));
    const { shelf } = images;
    shelf.use(set);
    const before = shelf.set.value;
    for (const wrong of [2, -1, 0.5, Number.NaN]) {
      shelf.validate(wrong);
      expect(shelf.set.value).toBe(before);
      expect(images.problems.value.get('validation')).toBe(
        'Kept for validation must be a whole number from 0 to 1.',
      );
    }
    shelf.validate(0);
    expect(shelf.set.value?.validation).toBe(0);
    expect(images.problems.value.size).toBe(0);
  });

  test('the bundled sets are what the page says they are', () => {
    const subject = readPictureFile('subject', bytesOf('subject.safetensors'));
    const style = readPictureFile('style', bytesOf('style.safetensors'));
    if (!subject.ok || !style.ok) throw new Error('they cannot be read');
    expect(subject.value.pictures).toHaveLength(10);
    expect(subject.value.validation).toBe(1);
    expect(subject.value.pictures.every(({ caption }) => caption.includes('zib'))).toBe(true);
    expect(style.value.pictures).toHaveLength(80);
    expect(style.value.validation).toBe(30);
    const [first] = subject.value.pictures;
    expect(rgba(first?.pixels ?? new Uint8Array())).toHaveLength(24 * 24 * 4);
    expect(readPictureFile('cut', bytesOf('subject.safetensors').slice(0, -1)).ok).toBe(false);
    expect(readPictureFile('none', new Uint8Array([1, 2, 3])).ok).toBe(false);
  });

  test('the files of the model are those of this checkout', async () => {
    for (const [name, { bytes, sha256: expected }] of Object.entries(ICON_FILES)) {
      const content = bytesOf(name);
      expect(content.length, name).toBe(bytes);
      expect(await sha256(content), name).toBe(expected);
    }
  });
});
