import { catalogModelOf } from '../../store/download';

// Files call themselves many things; of a model that this site or the hub serves the name is known.
const names = new WeakMap<File, string>();

/** Notes what a model is called that these files are. */
export function nameModel(files: readonly File[], name: string): void {
  for (const file of files) names.set(file, name);
}

/** What a model was called when it was loaded; one that came on another way, as when a training is resumed, as the site calls it. */
export function modelNameOf([file]: readonly File[]): string {
  return file === undefined ? '' : (names.get(file) ?? catalogModelOf(file)?.name ?? '');
}
