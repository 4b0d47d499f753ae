import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { drawingsOf } from '../src/images/drawing';
import { ICON_FILES, ICON_MODEL } from '../src/images/icon-model';
import { PictureLab } from '../src/images/picture-lab';
import { imageFacts } from '../src/images/pictures/image-header';
import { type PictureSet, rgba } from '../src/images/pictures/picture';
import { readPictureFile } from '../src/images/pictures/picture-file';
import { captionOf, whatIsWrong } from '../src/images/pictures/read-picture';
import { fitted, isTransparent, reduced } from '../src/images/pictures/reduce';
import { type DrawSettings, PRESETS, type SessionSettings } from '../src/protocol';
import { FakeWorker } from './fake-worker';

const icons = (name: string) => new Uint8Array(readFileSync(`../models/icons/${name}`));
const text = (words: string) => new TextEncoder().encode(words);
const chunk = (name: string, ...content: number[]) => [
  0,
  0,
  0,
  content.length,
  ...text(name),
  ...content,
  0,
  0,
  0,
  0,
];
const PNG = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10];
const header = chunk('IHDR', 0, 0, 1, 0, 0, 0, 0, 32, 8, 6, 0, 0, 0);

describe('the header of a picture', () => {
  const facts = (...bytes: number[]) => imageFacts(new Uint8Array(bytes));

  test('tells its size', () => {
    expect(facts(...PNG, ...header, ...chunk('IDAT', 1))).toEqual({
      kind: 'png',
      width: 256,
      height: 32,
      animated: false,
    });
    const app = [0xff, 0xe0, 0, 4, 0, 0];
    const frame = [0xff, 0xc2, 0, 11, 8, 0, 40, 0, 50, 1, 1, 0x11, 0];
    expect(facts(0xff, 0xd8, ...app, ...frame)).toMatchObject({ kind: 'jpeg', width: 50, height: 40 });
    const riff = (form: string, ...rest: number[]) =>
      facts(...text('RIFF'), 0, 0, 0, 0, ...text(`WEBP${form}`), 0, 0, 0, 0, ...rest);
    expect(riff('VP8X', 2, 0, 0, 0, 99, 0, 0, 49, 1, 0)).toMatchObject({
      width: 100,
      height: 306,
      animated: true,
    });
    expect(riff('VP8X', 16, 0, 0, 0, 99, 0, 0, 49, 1, 0)).toMatchObject({ animated: false });
    // 14 bits of width - 1, 14 of height - 1.
    expect(riff('VP8L', 0x2f, 0x03, 0x40, 0x01, 0)).toMatchObject({ width: 4, height: 6 });
    expect(riff('VP8 ', 0, 0, 0, 0x9d, 1, 0x2a, 20, 0, 30, 0)).toMatchObject({ width: 20, height: 30 });
  });

  test('tells whether it moves', () => {
    expect(
      facts(...PNG, ...header, ...chunk('acTL', 0, 0, 0, 2, 0, 0, 0, 0), ...chunk('IDAT', 1)),
    ).toMatchObject({ animated: true });
    const start = [...text('GIF89a'), 9, 0, 8, 0, 0, 0, 0];
    const frame = [0x2c, 0, 0, 0, 0, 9, 0, 8, 0, 0, 2, 1, 7, 0];
    expect(facts(...start, ...frame, 0x3b)).toEqual({ kind: 'gif', width: 9, height: 8, animated: false });
    expect(facts(...start, 0x21, 0xf9, 1, 0, 0, ...frame, ...frame, 0x3b)).toMatchObject({ animated: true });
  });

  test('is that of an SVG behind comments and declarations', () => {
    const svg = '<?xml version="1.0"?>\n<!-- <html> -->\n<svg viewBox="0 0 1 1"></svg>';
    expect(imageFacts(text(svg))).toMatchObject({ kind: 'svg' });
    expect(imageFacts(text('<html><svg></svg></html>'))).toBeNull();
  });

  test('is none of another type, of nothing, and of a part', () => {
    expect(imageFacts(text('hello'))).toBeNull();
    expect(imageFacts(new Uint8Array())).toBeNull();
    expect(facts(...PNG, 0, 0)).toBeNull();
    expect(facts(0xff, 0xd8, 0xff, 0xe0)).toBeNull();
  });
});

describe('a picture', () => {
  const png = (width: number, height: number) => ({ kind: 'png' as const, width, height, animated: false });

  test('is refused by what is wrong with it', () => {
    expect(whatIsWrong('a.png', 0, null)).toMatch(/a\.png is empty/);
    expect(whatIsWrong('a.txt', 5, null)).toMatch(/no PNG, JPEG, WebP, GIF or SVG/);
    expect(whatIsWrong('a.png', 21e6, png(9, 9))).toMatch(/21 MB, more than the 20 MB/);
    expect(whatIsWrong('a.svg', 2e6, { ...png(0, 0), kind: 'svg' })).toMatch(/2 MB, more than the 1 MB/);
    expect(whatIsWrong('a.png', 99, png(30_000, 30_000))).toMatch(/30000 × 30000 pixels, and 40 million/);
    expect(whatIsWrong('a.png', 99, png(0, 9))).toMatch(/no pixels/);
    expect(whatIsWrong('a.png', 99, png(8000, 5000))).toBe('');
  });

  test('keeps its shape', () => {
    expect(fitted(200, 100, 96)).toEqual({ x: 0, y: 24, width: 96, height: 48 });
    expect(fitted(1, 4, 96)).toEqual({ x: 36, y: 0, width: 24, height: 96 });
  });

  test('is averaged on white', () => {
    // Black, half of black, red that cannot be seen, white.
    const square = new Uint8ClampedArray([0, 0, 0, 255, 0, 0, 0, 51, 255, 0, 0, 0, 255, 255, 255, 255]);
    const value = Math.round((0 + 204 + 255 + 255) / 4);
    expect([...reduced(square, 2, 2)]).toEqual([value, value, value]);
    expect([...reduced(square, 2, 1)].slice(3, 9)).toEqual([204, 204, 204, 255, 255, 255]);
  });

  test('is transparent only within its box', () => {
    const clear = new Uint8ClampedArray(8 * 8 * 4);
    const upper = fitted(2, 1, 8);
    expect(isTransparent(clear, 8, fitted(1, 1, 8))).toBe(true);
    for (let row = 2; row < 6; row += 1) clear.fill(255, row * 32, (row + 1) * 32);
    expect(isTransparent(clear, 8, upper)).toBe(false);
    expect(isTransparent(clear, 8, fitted(1, 1, 8))).toBe(true);
  });

  test('is called what its file is called', () => {
    expect(captionOf('My Cat_01.small.PNG')).toBe('my cat 01 small');
    expect(captionOf('été.webp')).toBe('été');
  });

  test('has alpha for a canvas', () => {
    expect([...rgba(new Uint8Array([1, 2, 3, 4, 5, 6]))]).toEqual([1, 2, 3, 255, 4, 5, 6, 255]);
  });
});

describe('the model of icons', () => {
  test('has the files of models/icons', () => {
    for (const [name, { bytes, sha256 }] of Object.entries(ICON_FILES)) {
      const content = icons(name);
      expect(content.length, name).toBe(bytes);
      expect(createHash('sha256').update(content).digest('hex'), name).toBe(sha256);
    }
    expect(ICON_MODEL.bytes).toBeLessThan(8e6);
  });

  test('comes with a subject and a style', () => {
    const subject = readPictureFile('subject', icons('subject.safetensors'));
    const style = readPictureFile('style', icons('style.safetensors'));
    if (!subject.ok || !style.ok) throw new Error('unreadable');
    expect(subject.value.pictures.map(({ caption }) => caption)).toContain('zib with tears of joy');
    expect([subject.value.pictures.length, subject.value.validation]).toEqual([10, 1]);
    expect([style.value.pictures.length, style.value.validation]).toEqual([80, 30]);
    // On white, and not all of it.
    const [first] = subject.value.pictures;
    expect([...(first?.pixels.slice(0, 3) ?? [])]).toEqual([255, 255, 255]);
    expect(first?.pixels.some((value) => value < 100)).toBe(true);
  });

  test('is refused where its pictures are damaged', () => {
    const bytes = icons('subject.safetensors');
    const cut = readPictureFile('subject', bytes.slice(0, 5000));
    expect(cut).toMatchObject({ ok: false, failure: { place: 'data' } });
    expect(readPictureFile('x', new Uint8Array(3))).toMatchObject({ ok: false });
  });
});

describe('a lab of pictures', () => {
  const set: PictureSet = {
    name: 'two',
    validation: 1,
    pictures: ['red', 'blue'].map((caption) => ({ name: caption, caption, pixels: new Uint8Array(12) })),
  };
  const [preset] = PRESETS;
  const settings = (rates: number[]): SessionSettings => ({
    rank: 4,
    alpha: 4,
    dropout: 0,
    targets: ['q_proj'],
    batch_size: 2,
    use_rslora: false,
    micro_batch_size: 0,
    gradient_checkpointing: false,
    half_precision: false,
    steps: 6,
    seed: 0,
    diagnostics: false,
    layer_diagnostics: false,
    runs: rates.map((lr) => {
      if (preset === undefined) throw new Error('no preset');
      return { name: `${lr}`, optimizer: { ...preset.optimizer, lr } };
    }),
  });
  const order: DrawSettings = {
    captions: ['red', 'blue'],
    steps: 3,
    guidance: 3,
    seed: 0,
    runs: [0, 1],
    include_base: true,
  };

  beforeEach(() => {
    FakeWorker.all = [];
  });

  async function loaded(edit: (worker: FakeWorker) => void = () => {}) {
    const lab = new PictureLab(() => new FakeWorker(edit), { cores: 2, memory: 0 });
    await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
    await lab.loadModel([new File(['x'], 'model.safetensors')]);
    await lab.loadData(set, { caption_dropout: 0 });
    return lab;
  }

  async function trained(lab: PictureLab, rates: number[]) {
    const losses = new Map<number, (number | null)[]>();
    const plan = { settings: settings(rates), validationEvery: 0, checkpointEvery: 2 };
    await lab.start(plan, {
      onReady: async () => {},
      onStep: ({ runs }, report) => {
        for (const [own, run] of runs.entries())
          losses.set(run, [...(losses.get(run) ?? []), report.runs[own]?.loss ?? null]);
      },
      onEvaluation: () => {},
    });
    return losses;
  }

  test('gives its workers pictures and captions', async () => {
    const lab = await loaded();
    expect(FakeWorker.all[0]?.asked).toContain('pictures red,blue of 24 bytes');
    expect(lab.data.value).toMatchObject({ status: 'ready', value: { train: 1, validation: 1 } });
  });

  test('draws with the base before there are runs', async () => {
    const lab = await loaded();
    const drawn = await lab.draw(order, () => {});
    if (!drawn.ok) throw new Error(drawn.failure.message);
    expect(drawn.value.map(({ run }) => run)).toEqual([null]);
    expect(drawn.value[0]?.pictures.map(([red]) => red)).toEqual([9, 10]);
  });

  test('draws with runs of all workers in the order of the page', async () => {
    const lab = await loaded();
    await trained(lab, [3, 5]);
    const told: number[] = [];
    const drawn = await lab.draw(order, ({ done }) => told.push(done));
    if (!drawn.ok) throw new Error(drawn.failure.message);
    expect(drawn.value.map(({ run, pictures }) => [run, pictures[0]?.[0]])).toEqual([
      [null, 9],
      [0, 3],
      [1, 5],
    ]);
    expect(told.at(-1)).toBe(3);
    expect([...told].sort((one, other) => one - other)).toEqual(told);
    const only = await lab.draw({ ...order, runs: [1], include_base: false }, () => {});
    expect(only.ok && only.value.map(({ run }) => run)).toEqual([1]);
  });

  test('a drawing that was cancelled before its turn is none', async () => {
    const lab = await loaded();
    const drawing = lab.draw(order, () => {});
    lab.cancelDrawing();
    expect(await drawing).toMatchObject({ ok: false, failure: { place: 'draw' } });
    expect((await lab.draw(order, () => {})).ok).toBe(true);
  });

  test('goes on after a worker died', async () => {
    const undisturbed = await trained(await loaded(), [3, 5]);
    FakeWorker.all = [];
    const lab = await loaded((worker) => {
      if (FakeWorker.all.length === 2) worker.diesAt = 4;
    });
    expect(await trained(lab, [3, 5])).toBeDefined();
    expect(lab.phase.value).toBe('finished');
    expect(FakeWorker.all.length).toBe(3);
    expect(undisturbed.get(1)?.at(-1)).toBeCloseTo(3 / (1 + 5 * 6), 6);
  });

  test('hands out the adapter of a run, and starts from one', async () => {
    const lab = await loaded();
    expect(await lab.exportAdapter(0)).toMatchObject({ ok: false, failure: { place: 'adapter' } });
    await trained(lab, [3, 5]);
    expect(await lab.exportAdapter(1)).toEqual({ ok: true, value: new Uint8Array([0]) });
    await lab.startFrom({ name: 'mine.safetensors', weights: new Uint8Array(7) });
    expect(lab.startAdapter.value).toMatchObject({ name: 'mine.safetensors', rank: 4 });
  });

  test('cuts what workers drew into pictures', () => {
    const pixels = Uint8Array.from({ length: 2 * 2 * 4 }, (_, index) => index);
    const drawn = drawingsOf({ runs: [null, 0], size: 1, pixels }, [7]);
    expect(drawn.map(({ run }) => run)).toEqual([null, 7]);
    expect([...(drawn[1]?.pictures[1] ?? [])]).toEqual([12, 13, 14, 15]);
  });
});
