import './images.css';
import { h } from '../controls/dom';
import { showProblems } from '../controls/field';
import type { UndoPlace } from '../controls/undo';
import { chartsPanel } from '../experiment/curves/charts-panel';
import { settingsPanel } from '../experiment/settings/settings-panel';
import { transportPanel } from '../experiment/transport-panel';
import { Keeper } from '../keep/keeper';
import { keptOffer } from '../keep/kept-offer';
import type { KeptTrainings } from '../keep/kept-trainings';
import type { Lab } from '../lab/lab';
import { readyValue } from '../lab/loadable';
import type { SpawnWorker } from '../lab/worker-link';
import { Signal } from '../signal';
import { imagesAdapters } from './adapters-panel';
import { type Comparison, comparisonRuns, comparisons, defaultPictureConfig, pictureTargets } from './config';
import { keepPictureConfig, recallPictureConfig } from './config-store';
import { imagesData } from './data-panel';
import { imagesDraw } from './draw-panel';
import { PictureExperiment } from './experiment';
import { type KeptPictures, keepPictures } from './keeping';
import { imagesModel } from './model-panel';
import { PictureLab } from './picture-lab';
import { imagesStory } from './story';

// A user who reads is not gone; one who trains elsewhere needs the memory.
const REST_MS = 60_000;

/** A text-to-image model that learns pictures. It computes on the engine of the language lab, in workers of its own. */
export function imagesView(
  spawn: SpawnWorker,
  language: Lab,
  trainings: KeptTrainings<KeptPictures>,
): HTMLElement[] {
  const { budget } = language;
  const lab = new PictureLab(spawn, budget.machine, { name: 'the Images tab', budget, restAfter: REST_MS });
  const images = new PictureExperiment(lab, new Signal(recallPictureConfig()));
  images.config.subscribe(keepPictureConfig);
  const keeper = new Keeper(keepPictures(images), trainings);
  document.addEventListener('visibilitychange', () => document.hidden && keeper.hurry());
  void trainings.look();
  language.choice.watch((choice) => choice.reason !== '' && void lab.useEngine(choice));
  const source = () => {
    const model = readyValue(lab.model.value);
    const { name = '' } = images.shelf.set.value ?? {};
    return {
      model: model && { ...model, architecture: 'diffusion transformer' },
      data: { name, statistics: readyValue(lab.data.value) },
    };
  };
  const settings = settingsPanel(images, {
    defaults: defaultPictureConfig,
    targets: pictureTargets,
    aboutTargets: 'Layers of every block, of the text encoder and of the denoiser, that carry an adapter.',
    textEncoder: true,
    aboveRuns: (undo) => comparisonButtons(images, undo),
  });
  const view = [
    imagesStory(images),
    h(
      'div',
      { class: 'setup' },
      section('model', 1, 'Model', ...imagesModel(images)),
      section('data', 2, 'Pictures to learn', ...imagesData(images)),
      section('settings', 3, 'Settings', ...settings),
    ),
    h(
      'div',
      { class: 'bench' },
      section(
        'train',
        4,
        'Train and draw',
        ...keptOffer(keeper),
        ...transportPanel(images),
        ...imagesDraw(images),
      ),
      section('curves', 5, 'Curves', ...chartsPanel(images, source)),
      section('adapters', 6, 'Adapters', ...imagesAdapters(images)),
    ),
  ];
  images.problems.watch((problems) => {
    for (const part of view) showProblems(part, problems);
  });
  return view;
}

function section(name: string, numeral: number, title: string, ...content: HTMLElement[]): HTMLElement {
  const id = `images-${name}`;
  return h(
    'section',
    { id, 'aria-labelledby': `${id}-title`, tabindex: name === 'train' ? '-1' : null },
    h(
      'h2',
      { id: `${id}-title` },
      h('span', { class: 'numeral', 'aria-hidden': 'true' }, String(numeral)),
      title,
    ),
    ...content,
  );
}

/** Runs that show something, ready to be taken. */
function comparisonButtons(images: PictureExperiment, undo: UndoPlace): HTMLElement {
  const take = (comparison: Comparison) => {
    const before = images.config.value.runs;
    images.change((config) => {
      config.runs = comparisonRuns(comparison, config.session.steps);
    });
    undo.offer({
      words: `These are the runs of ${comparison.name}.`,
      bringBack: () =>
        images.change((config) => {
          config.runs = structuredClone(before);
        }),
      backWords: 'Your runs are back.',
    });
  };
  const buttons = comparisons.map((comparison) =>
    h(
      'button',
      {
        type: 'button',
        class: 'small',
        'data-comparison': comparison.id,
        title: comparison.about,
        onclick: () => take(comparison),
      },
      comparison.name,
    ),
  );
  const about = comparisons.map(({ name, about: words }) => h('li', {}, h('strong', {}, `${name}: `), words));
  return h(
    'div',
    { class: 'stack comparisons' },
    h('div', { class: 'row', role: 'group', 'aria-label': 'Comparisons' }, ...buttons),
    h(
      'details',
      { class: 'more' },
      h('summary', {}, 'What these show'),
      h('ul', { class: 'hint' }, ...about),
    ),
  );
}
