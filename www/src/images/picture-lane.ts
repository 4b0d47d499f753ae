import { swatch } from '../charts/run-style';
import { h, setText } from '../controls/dom';
import type { Pictures } from './grids';
import { pictureCanvas } from './pictures/picture-canvas';

/** What one run, or the base, drew: a row of pictures from the same noises as the rows beside it. */
export interface LaneContent {
  name: string;
  /** Look of the run; null is none's. */
  style: number | null;
  /** What screen readers are told of the pictures. */
  about: string;
  /** Where there are none, or what there is to know. */
  note: string;
  diverged: boolean;
  pictures: Pictures;
  size: number;
  /** Below the pictures; null shows none. */
  captions: readonly string[] | null;
}

/** Rows of pictures below each other. A row is made anew only where its pictures changed. */
export function pictureLanes() {
  const element = h('div', { class: 'lanes' });
  let lanes: { key: string; pictures: Pictures; note: HTMLElement; row: HTMLElement }[] = [];
  const show = (contents: readonly LaneContent[]) => {
    const next = contents.map((content) => {
      const key = JSON.stringify([content.name, content.style, content.about, content.captions]);
      const before = lanes.find((lane) => lane.key === key && lane.pictures === content.pictures);
      const lane = before ?? { key, pictures: content.pictures, ...laneRow(content) };
      setText(lane.note, content.note);
      lane.note.classList.toggle('diverged', content.diverged);
      return lane;
    });
    const same = next.length === lanes.length && next.every((lane, index) => lane === lanes[index]);
    if (!same) element.replaceChildren(...next.map(({ row }) => row));
    lanes = next;
  };
  return { element, show };
}

function laneRow({ name, style, about, pictures, size, captions }: LaneContent) {
  const note = h('span', { class: 'hint lane-note' });
  const look = style === null ? h('span', { class: 'swatch base', 'aria-hidden': 'true' }) : swatch(style);
  const cells = pictures.map((pixels, index) =>
    h(
      'div',
      { class: 'cell' },
      pictureCanvas(pixels, size),
      captions !== null && h('span', { class: 'cell-caption' }, captions[index] ?? ''),
    ),
  );
  const row = h(
    'div',
    { class: 'lane', 'data-lane': name },
    h('h4', {}, look, name, note),
    pictures.length > 0 && h('div', { class: 'cells', role: 'img', 'aria-label': about }, ...cells),
  );
  return { note, row };
}
