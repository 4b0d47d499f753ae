import { takenAtWords } from '../experiment/taken-at';
import type { RunSeries } from '../metrics/run-series';
import type { Grid, Pictures } from './grids';
import type { LaneContent } from './picture-lane';
import { type Picture, rgba } from './pictures/picture';

// Canvases are made from these, so equal ones must stay the same.
const drawn = new WeakMap<Uint8Array, Uint8ClampedArray<ArrayBuffer>>();
const rows = new Map<string, Pictures>();

/** The rows of a grid: what is to be learned where captions are of the set, the base, the runs. */
export function lanesOf(grid: Grid, set: readonly Picture[], series: readonly RunSeries[]): LaneContent[] {
  const { captions, size } = grid;
  const title = takenAtWords(grid);
  const content = (name: string, style: number | null, pictures: Pictures, note = '', diverged = false) => ({
    name,
    style,
    about: aboutOf(name, title, captions),
    note,
    diverged,
    pictures,
    size,
    captions: null,
  });
  const learned = learnedRow(captions, set);
  const lanes: LaneContent[] = [];
  if (learned !== null) {
    const about = `Pictures to learn: ${words(captions)}`;
    lanes.push({ ...content('To learn', null, learned), about });
  }
  const base = grid.lanes.get(null);
  if (base !== undefined) lanes.push(content('Base', null, base));
  for (const [index, run] of grid.runs.entries()) {
    const pictures = grid.lanes.get(index);
    const divergedAt = series[index]?.divergedAt ?? null;
    const diverged = pictures?.length === 0;
    const note = diverged
      ? `diverged${divergedAt === null ? '' : ` at step ${divergedAt}`}: nothing to draw with`
      : pictures === undefined
        ? 'not drawn yet'
        : '';
    lanes.push(content(run.name, run.style, pictures ?? [], note, diverged));
  }
  const [first] = lanes;
  if (first !== undefined) lanes[0] = { ...first, captions };
  return lanes;
}

function aboutOf(name: string, title: string, captions: readonly string[]): string {
  const when = title === 'The base alone' || name === 'Base' ? '' : `, ${title.toLowerCase()}`;
  return `Drawn by ${name}${when}: ${words(captions)}`;
}

/** Each caption once, with how often it is drawn. */
function words(captions: readonly string[]): string {
  const different = [...new Set(captions)];
  const times = captions.length / Math.max(1, different.length);
  const each = Number.isInteger(times) && times > 1 ? `, ${times} pictures each` : '';
  return `${different.join(', ')}${each}`;
}

/** Real pictures of these captions; null where there is none for any. */
function learnedRow(captions: readonly string[], set: readonly Picture[]): Pictures | null {
  const found = captions.map((caption) => set.find((picture) => picture.caption.trim() === caption));
  if (found.some((picture) => picture === undefined)) return null;
  const pixels = found.flatMap((picture) => (picture === undefined ? [] : [picture.pixels]));
  const key = captions.join('\n');
  const own = pixels.map((one) => {
    const known = drawn.get(one) ?? rgba(one);
    drawn.set(one, known);
    return known;
  });
  const before = rows.get(key);
  if (before?.every((one, index) => one === own[index])) return before;
  rows.set(key, own);
  return own;
}
