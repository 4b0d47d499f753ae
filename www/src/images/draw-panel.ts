import { saveChart } from '../charts/save-chart';
import { freshId, h, setText } from '../controls/dom';
import { inFrame } from '../controls/frame';
import { failureBox } from '../controls/message';
import { settingField, settingFields } from '../controls/setting-field';
import { takenAtWords } from '../experiment/taken-at';
import type { PictureConfig } from './config';
import { captionsOf } from './config';
import type { PictureExperiment } from './experiment';
import { type GridRow, gridSvg } from './grid-svg';
import type { Grid, Pictures } from './grids';
import { lanesOf } from './lanes';
import { pictureLanes } from './picture-lane';
import { pictureCanvas } from './pictures/picture-canvas';
import { drawPrompt, drawSettings } from './settings';

const FIELDS = ['captions', 'draw_steps', 'guidance', 'draw_seed'];

/** What is drawn, and what the base and the runs made of it at every step that was kept. */
export function imagesDraw(images: PictureExperiment): HTMLElement[] {
  const { grids, lab } = images;
  const problem = failureBox();
  const draw = h(
    'button',
    { type: 'button', id: 'images-draw', class: 'primary', onclick: () => void images.draw() },
    'Draw now',
  );
  const stop = h('button', { type: 'button', class: 'quiet', onclick: () => grids.cancel() }, 'Stop drawing');
  const progress = h('span', { class: 'hint', id: 'images-drawing', role: 'status' });
  let drawn = 0;
  let wasBusy = false;
  const showButtons = () => {
    const ready = lab.model.value.status === 'ready' && lab.phase.value !== 'preparing';
    const wrong = FIELDS.some((field) => images.problems.value.has(field));
    const busy = grids.busy.value > 0;
    draw.disabled = !ready || wrong || busy;
    stop.hidden = !busy;
    setText(progress, busy ? 'Drawing …' : '');
    // How often it came to rest: that it draws nothing may be because it has not begun.
    if (wasBusy && !busy) drawn += 1;
    wasBusy = busy;
    progress.dataset.drawn = String(drawn);
  };
  grids.busy.watch(showButtons);
  lab.phase.subscribe(showButtons);
  lab.model.subscribe(showButtons);
  images.problems.subscribe(showButtons);
  grids.failure.watch((failure) => problem.show(failure));
  return [
    drawFields(images),
    h('div', { class: 'row' }, draw, stop, progress),
    problem.element,
    ...keptGrids(images),
  ];
}

/** Captions, and how noise becomes pictures. */
function drawFields(images: PictureExperiment): HTMLElement {
  const edit = (change: (config: PictureConfig) => void) => images.change(change);
  const prompt = settingField(drawPrompt, edit);
  const fields = settingFields(drawSettings, edit);
  images.config.watchTo(
    ({ draw, drawEvery }) => [draw, drawEvery],
    () => {
      prompt.show(images.config.value);
      fields.show(images.config.value);
    },
  );
  return h(
    'div',
    { class: 'stack' },
    prompt.element,
    h('div', { class: 'fields narrow' }, ...fields.elements),
  );
}

/** One of the kept grids, and a slider through all of them. */
function keptGrids(images: PictureExperiment): HTMLElement[] {
  const { grids, shelf } = images;
  const id = freshId('grids');
  const title = h('h3', { id: 'images-grid-title' });
  const slider = h('input', { type: 'range', id, min: 0, step: 1 });
  const place = h('div', { class: 'row grid-slider' }, h('label', { for: id }, 'Kept grids'), slider);
  const lanes = pictureLanes();
  const empty = h('p', { class: 'hint' }, 'The base draws as soon as it is loaded, and each run below it.');
  // Null is the newest, whatever comes.
  let chosen: number | null = null;
  const shown = (): Grid | undefined => grids.grids.value[chosen ?? grids.grids.value.length - 1];
  const show = inFrame(() => {
    const all = grids.grids.value;
    if (chosen !== null && chosen >= all.length) chosen = null;
    const grid = shown();
    empty.hidden = grid !== undefined;
    place.hidden = all.length < 2;
    title.hidden = grid === undefined;
    one.enable(grid !== undefined);
    every.enable(all.some(({ step }) => step > 0));
    slider.max = String(Math.max(0, all.length - 1));
    slider.value = String(chosen ?? all.length - 1);
    if (grid === undefined) return lanes.show([]);
    slider.setAttribute('aria-valuetext', takenAtWords(grid));
    setText(title, takenAtWords(grid));
    lanes.show(lanesOf(grid, shelf.set.value?.pictures ?? [], images.metrics.value?.runs ?? []));
  });
  slider.addEventListener('input', () => {
    const at = Number(slider.value);
    chosen = at >= grids.grids.value.length - 1 ? null : at;
    show();
  });
  const one = saveChart('this grid', {
    words: 'Save this grid',
    file: () => fileOf(shown()),
    svg: (look) => {
      const grid = shown();
      if (grid === undefined) return null;
      const contents = lanesOf(grid, shelf.set.value?.pictures ?? [], images.metrics.value?.runs ?? []);
      const rows = contents.map(({ name, style, pictures, size, note }) => ({
        name,
        style,
        note,
        pictures: addresses(pictures, size),
      }));
      return gridSvg({ title: takenAtWords(grid), captions: grid.captions, rows }, look);
    },
  });
  const every = saveChart('all grids of this training', {
    words: 'all steps',
    file: () => 'drawings',
    svg: (look) => {
      const last = grids.grids.value.at(-1);
      if (last === undefined) return null;
      const captions = captionsOf(last.how.prompt);
      const same = grids.grids.value.filter(
        (grid) =>
          grid.training === last.training &&
          grid.runs.length > 0 &&
          JSON.stringify(grid.how) === JSON.stringify(last.how),
      );
      const rows = last.runs.flatMap((run, index) =>
        same.map(
          (grid): GridRow => ({
            name: `${run.name}, step ${grid.step}`,
            style: run.style,
            note: 'nothing drawn',
            pictures: addresses(grid.lanes.get(index) ?? [], grid.size),
          }),
        ),
      );
      return gridSvg({ title: 'From the same noise', captions, rows }, look);
    },
  });
  grids.grids.watch(show);
  shelf.set.subscribe(show);
  images.measured.subscribe(() => {
    // A run may have diverged since; else nothing here follows the steps.
    if (images.metrics.value?.runs.some(({ divergedAt }) => divergedAt !== null)) show();
  });
  return [
    h('div', { class: 'titled' }, title, h('div', { class: 'row' }, one.element, every.element)),
    place,
    empty,
    lanes.element,
  ];
}

function fileOf(grid: Grid | undefined): string {
  return grid === undefined ? 'drawings' : `drawings-step-${grid.step}`;
}

function addresses(pictures: Pictures, size: number): string[] {
  return pictures.map((pixels) => pictureCanvas(pixels, size).toDataURL());
}
