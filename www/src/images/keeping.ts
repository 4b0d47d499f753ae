import { readSettings } from '../config/serialise';
import type { GoOn, Keeping, Taken } from '../keep/keeping';
import { areThese, type KeptTraining, partNames } from '../keep/kept-training';
import { readyValue } from '../lab/loadable';
import { failed, type Result, success } from '../result';
import type { Kept } from '../store/vault';
import { defaultPictureConfig } from './config';
import type { PictureExperiment } from './experiment';
import type { Grid, Pictures } from './grids';
import { fetchIconModel } from './icon-model';
import type { PictureSet } from './pictures/picture';
import { drawingSettings } from './settings';

/** A grid without its pixels, which are a part. */
interface KeptGrid extends Pick<Grid, 'step' | 'how' | 'captions' | 'size' | 'runs'> {
  /** Whose pictures they are, and how many. */
  lanes: { run: number | null; pictures: number }[];
}

/** A kept training on pictures. */
export interface KeptPictures extends KeptTraining {
  /** Their pixels are the data. */
  pictures: { name: string; caption: string; notes: readonly string[] }[];
  /** So many of the last ones are validated with. */
  validation: number;
  grids: KeptGrid[];
}

type Own = Omit<KeptPictures, keyof KeptTraining>;

/** How trainings on pictures are kept: with pictures, captions and what was drawn. This site serves the model. */
export function keepPictures(images: PictureExperiment): Keeping<KeptPictures> {
  // A digest is measured once for each blob.
  const pixels = new WeakMap<PictureSet, Blob>();
  const drawn = new WeakMap<Grid, Blob>();
  return {
    experiment: images,
    onMore: (reader) => images.grids.busy.subscribe((busy) => busy === 0 && reader()),
    take: () => take(images, pixels, drawn),
    asksForModel: () => false,
    async modelOf({ content }, _, onProgress, signal) {
      if (await areThese(images.lab.modelFiles, content.model.files))
        return success([...images.lab.modelFiles]);
      const icons = await fetchIconModel(onProgress, signal);
      if (!icons.ok) return icons;
      if (!(await areThese(icons.value.files, content.model.files)))
        return failed(
          'resume',
          'This page has another version of the model that draws. Discard it and train anew.',
        );
      images.icons.set(icons.value);
      return success(icons.value.files);
    },
    prepare: (kept) => prepare(images, kept),
  };
}

function take(
  { lab, learned, shelf, grids }: PictureExperiment,
  pixels: WeakMap<PictureSet, Blob>,
  drawn: WeakMap<Grid, Blob>,
): Taken<Own> | null {
  if (learned === null) return null;
  const data = pixels.get(learned) ?? new Blob(learned.pictures.map((picture) => picture.pixels));
  pixels.set(learned, data);
  const parts = new Map<string, Blob>();
  const kept = grids.ofTraining.map((grid, index): KeptGrid => {
    const { step, how, captions, size, runs, lanes } = grid;
    const blob = drawn.get(grid) ?? new Blob([...lanes.values()].flat());
    drawn.set(grid, blob);
    parts.set(gridPart(index), blob);
    const own = [...lanes].map(([run, pictures]) => ({ run, pictures: pictures.length }));
    return { step, how, captions, size, runs, lanes: own };
  });
  return {
    model: {
      name: readyValue(lab.model.value)?.name ?? '',
      catalog: null,
      files: lab.modelFiles,
      keepFiles: false,
    },
    data: { name: learned.name, blob: data },
    own: {
      pictures: learned.pictures.map((picture) => {
        const { name, caption } = picture;
        return { name, caption, notes: shelf.notesOf(picture) };
      }),
      validation: learned.validation,
      grids: kept,
    },
    parts,
  };
}

async function prepare(
  images: PictureExperiment,
  { content, parts }: Kept<KeptPictures>,
): Promise<Result<GoOn>> {
  const { view } = images.config.value;
  const config = { ...readSettings(content.config, defaultPictureConfig(), drawingSettings).config, view };
  const pixels = await bytesOf(parts.get(partNames.data));
  const each = pixels.length / Math.max(1, content.pictures.length);
  const pictures = content.pictures.map(({ name, caption }, index) => {
    return { name, caption, pixels: pixels.slice(index * each, (index + 1) * each) };
  });
  const set: PictureSet = { name: content.data.name, pictures, validation: content.validation };
  images.shelf.use(
    set,
    content.pictures.map(({ notes }) => notes),
  );
  // After what pictures suggest to draw.
  images.config.set(config);
  if (!(await images.readPictures())) {
    return failed('resume', 'The pictures of this training were not read; the pictures’ section says why.');
  }
  const grids: Grid[] = [];
  for (const [index, grid] of content.grids.entries()) {
    const bytes = await bytesOf(parts.get(gridPart(index)));
    grids.push({ ...grid, training: 0, lanes: lanesOf(grid, bytes) });
  }
  // What was drawn after the checkpoint is drawn again.
  const drawn = grids.filter(({ step }) => step <= content.step);
  return success((metrics, workers) => void images.goOnFrom(config, metrics, drawn, workers));
}

function lanesOf({ lanes, size }: KeptGrid, bytes: Uint8Array<ArrayBuffer>): Map<number | null, Pictures> {
  const each = size * size * 4;
  let at = 0;
  return new Map(
    lanes.map(({ run, pictures }) => {
      const own = Array.from({ length: pictures }, () => {
        at += each;
        return new Uint8ClampedArray(bytes.slice(at - each, at).buffer);
      });
      return [run, own];
    }),
  );
}

async function bytesOf(blob: Blob | undefined): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer());
}

function gridPart(index: number): string {
  return `grid-${index}`;
}
