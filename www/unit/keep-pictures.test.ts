import { beforeEach, expect, test, vi } from 'vitest';
import { defaultPictureConfig, GRID } from '../src/images/config';
import { PictureExperiment } from '../src/images/experiment';
import { type KeptPictures, keepPictures } from '../src/images/keeping';
import { PictureLab } from '../src/images/picture-lab';
import type { PictureSet } from '../src/images/pictures/picture';
import { goOnWithKept } from '../src/keep/go-on';
import { Keeper } from '../src/keep/keeper';
import { KeptTrainings } from '../src/keep/kept-trainings';
import { success } from '../src/result';
import { Signal } from '../src/signal';
import { Vault } from '../src/store/vault';
import { FakeBrowser } from './fake-browser';
import { FakeFolder } from './fake-folder';
import { FakeWorker, lossOf } from './fake-worker';
import { until } from './until';

const picture = (caption: string, grey: number) => ({
  name: `${caption}.png`,
  caption,
  pixels: new Uint8Array(24 * 24 * 3).fill(grey),
});
const set: PictureSet = {
  name: 'Your pictures',
  pictures: [picture('a cat', 10), picture('a dog', 20), picture('a hat', 30)],
  validation: 1,
};
const model = [new File(['icons'], 'model.safetensors')];

let folder: FakeFolder;
let browser: FakeBrowser;

async function open() {
  const lab = new PictureLab(() => new FakeWorker(), { cores: 2, memory: 0 });
  const config = defaultPictureConfig();
  Object.assign(config, { checkpointEvery: 100, drawEvery: 2 });
  Object.assign(config.session, { steps: 8 });
  config.draw.prompt = 'a cat';
  for (const [run, lr] of [10, 20].entries()) {
    const { optimizer } = config.runs[run] ?? {};
    if (optimizer !== undefined) optimizer.lr = lr;
  }
  const images = new PictureExperiment(lab, new Signal(config));
  const tab = browser.open();
  const all = new KeptTrainings<KeptPictures>(
    'pictures',
    Promise.resolve(new Vault<KeptPictures>(folder)),
    tab,
  );
  const keeper = new Keeper(keepPictures(images), all);
  await lab.useEngine({ engine: 'cpu', reason: '', gpuUsable: false });
  return { lab, images, all, keeper, tab };
}

beforeEach(() => {
  FakeWorker.all = [];
  folder = new FakeFolder();
  browser = new FakeBrowser();
});

test('a training on pictures comes back with pictures, captions, settings, curves and drawings', async () => {
  const first = await open();
  await first.lab.loadModel(model);
  first.images.shelf.use(set, [[], ['it was cropped'], []]);
  expect(await first.images.readPictures()).toBe(true);
  first.images.change((config) => {
    config.session.rank = 2;
  });
  void first.images.start();
  await until(() => first.images.metrics.value?.step === 4);
  first.lab.pause();
  await until(() => first.lab.phase.value === 'paused');
  await until(() => first.images.grids.busy.value === 0);
  await first.keeper.now();
  const step = first.images.metrics.value?.step ?? 0;
  await until(() => first.all.offers.value[0]?.content.step === step);
  const drawn = first.images.grids.ofTraining;
  expect(drawn.map((grid) => grid.step)).toContain(4);
  first.tab.close();
  first.lab.stop();
  FakeWorker.all = [];

  const second = await open();
  // The bundled model is on the page already, so nothing is fetched.
  await second.lab.loadModel(model);
  await second.all.look();
  const [kept] = second.all.offers.value;
  expect(kept).toMatchObject({ busy: false, content: { step, data: { name: 'Your pictures' } } });
  const going = goOnWithKept(second.keeper, kept?.id ?? '', [], () => {}, new AbortController().signal);
  expect(await going).toEqual(success(null));
  const { shelf, grids, metrics, config } = second.images;
  expect(shelf.set.value).toEqual(set);
  expect(shelf.set.value?.pictures.map((one) => shelf.notesOf(one))).toEqual([[], ['it was cropped'], []]);
  expect(config.value.session.rank).toBe(2);
  const before = grids.grids.value.slice(0, drawn.length);
  expect(before.map((grid) => ({ ...grid, training: 0 }))).toEqual(
    drawn.map((grid) => ({ ...grid, training: 0 })),
  );
  expect(before.at(-1)?.lanes.get(0)).toHaveLength(GRID);
  await until(() => second.lab.phase.value === 'finished');
  for (const [run, lr] of [10, 20].entries()) {
    expect(metrics.value?.runs[run]?.losses).toEqual(
      Array.from({ length: 8 }, (_, index) => lossOf(lr, index + 1)),
    );
  }
  await until(() => grids.grids.value.at(-1)?.step === 8 && grids.busy.value === 0);
  await until(() => second.all.offers.value[0]?.content.step === 8);
  expect(second.all.offers.value).toHaveLength(1);
});

test('a training on pictures is not taken up with another model', async () => {
  const first = await open();
  await first.lab.loadModel(model);
  first.images.shelf.use(set);
  await first.images.start();
  await until(() => first.all.offers.value[0]?.content.step === 8);
  first.tab.close();
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
  const second = await open();
  await second.lab.loadModel([new File(['other'], 'model.safetensors')]);
  await second.all.look();
  const id = second.all.offers.value[0]?.id ?? '';
  const answer = await goOnWithKept(second.keeper, id, [], () => {}, new AbortController().signal);
  vi.unstubAllGlobals();
  expect(answer.ok).toBe(false);
  // It can be tried again, here or elsewhere.
  expect(browser.held).toEqual([]);
});
