import '../experiment/offers.css';
import { fill, h, s, setText } from '../controls/dom';
import { dropZone } from '../controls/drop-zone';
import { factList } from '../controls/facts';
import { numberField } from '../controls/field';
import { failureBox } from '../controls/message';
import { progressBar } from '../controls/progress';
import { type UndoPlace, undoPlace } from '../controls/undo';
import { readyValue } from '../lab/loadable';
import type { Failure, PictureDataSummary } from '../protocol';
import { plural } from '../words/numbers';
import type { PictureExperiment } from './experiment';
import { PICTURE_SIZE, type Picture, rgba } from './pictures/picture';
import { pictureCanvas } from './pictures/picture-canvas';
import { OWN_SET } from './shelf';

/** The pictures that are to be learned: chosen, dropped, captioned. */
export function imagesData(images: PictureExperiment): HTMLElement[] {
  const { lab, shelf } = images;
  const problem = failureBox();
  const notLoaded = failureBox();
  const reading = progressBar('Reading pictures', () => lab.cancelLoading());
  const facts = factList('The pictures to learn');
  const waiting = h('p', { class: 'hint', role: 'status' });
  const undo = undoPlace('images-shelf');
  const chooser = h(
    'details',
    { class: 'chooser', open: true },
    h('summary', {}, 'Choose pictures'),
    ...bundledOffers(images, undo, (failure) => notLoaded.show(failure)),
    dropZone({
      what: 'pictures to learn',
      words:
        'Or drop pictures of your own: PNG, JPEG, WebP or SVG, best on a plain ground. Each needs a caption.',
      choose: 'Choose pictures',
      accept: 'image/*,.svg',
      folder: true,
      onFiles: (files) => void shelf.add(files),
    }),
  );
  const validation = numberField({
    label: 'Kept for validation',
    help: 'So many of the last pictures are not trained on; the validation loss is measured on them.',
    field: 'validation',
    onInput: (value) => shelf.validate(value),
  });
  const list = pictureList(images, undo);

  shelf.set.watch((set) => {
    list.element.hidden = set === null;
    validation.element.hidden = set === null;
    validation.show(set?.validation ?? 0);
    if (set !== null) chooser.open = false;
    showWaiting();
  });
  const show = () => {
    const state = lab.data.value;
    reading.show(shelf.reading.value ?? (state.status === 'loading' ? state.progress : null));
    problem.show(state.status === 'failed' ? state.failure : null);
    const summary = readyValue(state);
    facts.element.hidden = summary === undefined;
    if (summary !== undefined) facts.show(factsOf(summary, shelf.set.value?.name ?? ''));
  };
  function showWaiting() {
    const words =
      shelf.set.value !== null && lab.model.value.status !== 'ready'
        ? 'They are read as soon as there is a model.'
        : images.stale.value && lab.trainees.length > 0
          ? 'Pictures or captions were changed: they are read again at Start.'
          : '';
    setText(waiting, words);
    waiting.hidden = words === '';
  }
  lab.data.watch(show);
  shelf.reading.subscribe(show);
  lab.model.subscribe(showWaiting);
  images.stale.watch(showWaiting);
  lab.phase.watch(() => {
    undo.enable(!images.locked);
    for (const part of [chooser, list.element, validation.element])
      part.toggleAttribute('inert', images.locked);
  });
  return [
    facts.element,
    reading.element,
    problem.element,
    waiting,
    notLoaded.element,
    chooser,
    refusedFiles(images),
    undo.element,
    list.element,
    validation.element,
  ];
}

/** The sets that come with the model. */
function bundledOffers(
  images: PictureExperiment,
  undo: UndoPlace,
  tell: (failure: Failure | null) => void,
): HTMLElement[] {
  const offer = (key: 'subject' | 'style', name: string, about: string) => {
    const use = async () => {
      const before = images.shelf.set.value;
      const answer = await images.useBundled(key);
      const own = before?.name === OWN_SET;
      if (answer.ok && own) {
        undo.offer({
          words: `${name} is in the place of your ${plural(before.pictures.length, 'picture')}.`,
          bringBack: () => images.shelf.use(before),
          backWords: 'Your pictures are back.',
        });
      }
      tell(answer.ok ? null : answer.failure);
    };
    const onclick = () => void use();
    const button = h('button', { type: 'button', id: `images-use-${key}`, onclick }, 'Use');
    button.setAttribute('aria-label', `Use ${name}`);
    images.fetching.watch((progress) => {
      button.disabled = progress !== null;
    });
    return h('div', { class: 'offer' }, h('p', {}, h('strong', {}, name), h('br'), about), button);
  };
  return [
    offer('subject', 'A subject', '10 faces of a cat, which the model never saw, under the new word “zib”'),
    offer('style', 'A style', '80 icons in black and white; their names end with the new word “sketched”'),
  ];
}

/** What could not be used, and why. */
function refusedFiles({ shelf }: PictureExperiment): HTMLElement {
  const list = h('ul', { class: 'refused' });
  const element = h(
    'div',
    { class: 'message bad', role: 'alert', hidden: true },
    h('p', {}, 'Not used:'),
    list,
  );
  shelf.refused.watch((refused) => {
    element.hidden = refused.length === 0;
    fill(list, ...refused.map(({ failure }) => h('li', {}, failure.message)));
  });
  return element;
}

/** Every picture with its caption. */
function pictureList(images: PictureExperiment, undo: UndoPlace) {
  const { shelf, lab } = images;
  const list = h('ol', { class: 'shelf' });
  const element = h(
    'div',
    { class: 'shelf-frame', tabindex: '0', role: 'region', 'aria-label': 'Pictures' },
    list,
  );
  const remove = (index: number) => {
    const name = shelf.set.value?.pictures[index]?.name ?? '';
    const bringBack = shelf.remove(index);
    undo.offer({ words: `${name} removed.`, bringBack, backWords: `${name} brought back.` });
  };
  let shown: readonly Uint8Array[] = [];
  let fields: { input: HTMLInputElement; hint: HTMLElement }[] = [];
  const row = (picture: Picture, index: number) => {
    const input = h('input', {
      type: 'text',
      autocomplete: 'off',
      'aria-label': `Caption of picture ${index + 1}, ${picture.name}`,
      oninput: () => shelf.caption(index, input.value),
    });
    const hint = h('span', { class: 'hint' });
    const button = h(
      'button',
      { type: 'button', class: 'icon', title: 'Remove', onclick: () => remove(index) },
      s(
        'svg',
        { viewBox: '0 0 16 16', 'aria-hidden': 'true' },
        s('path', { d: 'M3.5 3.5l9 9M12.5 3.5l-9 9' }),
      ),
      h('span', { class: 'unseen' }, `Remove picture ${index + 1}, ${picture.name}`),
    );
    fields.push({ input, hint });
    return h('li', {}, pictureCanvas(rgba(picture.pixels), PICTURE_SIZE), h('div', {}, input, hint), button);
  };
  const show = () => {
    const set = shelf.set.value;
    const pictures = set?.pictures ?? [];
    // Not while a caption is being typed: the field would be another one.
    if (pictures.length !== shown.length || pictures.some(({ pixels }, index) => pixels !== shown[index])) {
      shown = pictures.map(({ pixels }) => pixels);
      fields = [];
      fill(list, ...pictures.map(row));
    }
    const summary = images.stale.value ? undefined : readyValue(lab.data.value);
    const length = readyValue(lab.model.value)?.caption_length;
    for (const [index, picture] of pictures.entries()) {
      const field = fields[index];
      if (field === undefined) continue;
      if (document.activeElement !== field.input) field.input.value = picture.caption;
      const held = set !== null && index >= pictures.length - set.validation ? ['kept for validation'] : [];
      const words = [
        ...shelf.notesOf(picture),
        ...captionWords(summary?.captions[index] ?? [], length),
        ...held,
      ];
      setText(field.hint, words.join(' · '));
    }
  };
  shelf.set.watch(show);
  lab.data.subscribe(show);
  images.stale.subscribe(show);
  return { element };
}

/** What the model makes of a caption. */
function captionWords(words: PictureDataSummary['captions'][number], length: number | undefined): string[] {
  const unread = words.filter(({ read }) => !read).map(({ word }) => word);
  const fresh = words.filter(({ known, read }) => read && !known).map(({ word }) => `“${word}”`);
  return [
    ...(fresh.length > 0 ? [`new: ${[...new Set(fresh)].join(', ')}`] : []),
    ...(unread.length > 0 ? [`beyond ${length ?? 'the last'} words, not read: ${unread.join(' ')}`] : []),
  ];
}

function factsOf(summary: PictureDataSummary, name: string): [string, string][] {
  const words = summary.captions.flat().filter(({ known, read }) => read && !known);
  const fresh = [...new Set(words.map(({ word }) => word))];
  return [
    ['Set', name],
    ['To learn from', plural(summary.train, 'picture')],
    ['Validation', plural(summary.validation, 'picture')],
    ['New words', fresh.length === 0 ? 'none: add one to teach it' : fresh.join(', ')],
    ...summary.alike.map((group): [string, string] => [
      'The same to the model',
      `${group.join(', ')}; choose other words`,
    ]),
  ];
}
