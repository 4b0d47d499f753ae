import '../experiment/offers.css';
import { h } from '../controls/dom';
import { factList } from '../controls/facts';
import { failureBox } from '../controls/message';
import { progressBar } from '../controls/progress';
import { readyValue } from '../lab/loadable';
import type { PictureModelSummary } from '../protocol';
import { bytes, count, large, plural } from '../words/numbers';
import type { PictureExperiment } from './experiment';
import { ICON_MODEL } from './icon-model';

/** The model that draws: where it comes from, and what it is. */
export function imagesModel(images: PictureExperiment): HTMLElement[] {
  const { lab } = images;
  const problem = failureBox();
  const progress = progressBar('Loading the model', () => images.cancelLoading());
  const facts = factList('The loaded model');
  const fetch = async () => {
    problem.show(null);
    const answer = await images.loadIcons();
    if (!answer.ok) problem.show(answer.failure);
  };
  const load = h(
    'button',
    { type: 'button', id: 'images-load', class: 'primary', onclick: () => void fetch() },
    'Load',
  );
  load.setAttribute('aria-label', `Load ${ICON_MODEL.name}`);
  const words = h(
    'p',
    {},
    h('strong', {}, ICON_MODEL.name),
    h('br'),
    `${bytes(ICON_MODEL.bytes)} · ${ICON_MODEL.about}`,
  );
  const offer = h('div', { class: 'offer' }, words, load);
  const show = () => {
    const state = lab.model.value;
    const fetching = images.fetching.value;
    progress.show(fetching ?? (state.status === 'loading' ? state.progress : null));
    if (state.status === 'failed') problem.show(state.failure);
    else if (state.status === 'ready') problem.show(null);
    const model = readyValue(state);
    facts.element.hidden = model === undefined;
    if (model !== undefined) facts.show(factsOf(model));
    offer.hidden = model !== undefined;
    load.disabled = fetching !== null || state.status === 'loading';
  };
  lab.model.watch(show);
  images.fetching.watch(show);
  return [facts.element, progress.element, problem.element, offer];
}

function factsOf(model: PictureModelSummary): [string, string][] {
  return [
    ['Model', model.name],
    ['Weights', large(model.parameters)],
    ['Pictures', `${model.image_size} × ${model.image_size} pixels`],
    ['Denoiser', plural(model.denoiser_layers, 'layer')],
    ['Text encoder', plural(model.text_layers, 'layer')],
    ['Channels', count(model.hidden_size)],
    ['Words', count(model.words.length)],
    ['A caption', `up to ${plural(model.caption_length, 'word')}`],
    ['Files', bytes(model.file_bytes)],
  ];
}
