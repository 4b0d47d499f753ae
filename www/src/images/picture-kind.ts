import type { Kind } from '../lab/supplies';
import type { PictureDataSettings, PictureDataSummary, PictureModelSummary } from '../protocol';
import type { PictureSet } from './pictures/picture';

/** Pictures, and how they are trained on. */
export interface PictureData {
  set: PictureSet;
  settings: PictureDataSettings;
}

/** An adapter of the text-to-image model. */
export interface PictureStart {
  /** What the user calls it: the file's name. */
  name: string;
  /** A safetensors file that the page exported. */
  weights: Uint8Array;
}

/** Text-to-image models on pictures. */
export const picturesKind: Kind<PictureModelSummary, PictureData, PictureDataSummary, PictureStart> = {
  loadModel: (api, files, onProgress) => api.loadPictureModel(files, onProgress),
  loadData: (api, { set, settings }) => {
    const pixels = new Uint8Array(set.pictures.reduce((sum, picture) => sum + picture.pixels.length, 0));
    let at = 0;
    for (const picture of set.pictures) {
      pixels.set(picture.pixels, at);
      at += picture.pixels.length;
    }
    const captions = set.pictures.map(({ caption }) => caption);
    return api.loadPictures(captions, pixels, set.validation, settings);
  },
  isSameData: (one, other) =>
    one.set === other.set && JSON.stringify(one.settings) === JSON.stringify(other.settings),
  startFrom: (api, start) => api.startFromPictures(start?.weights ?? null),
};
