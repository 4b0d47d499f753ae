import { readConfig } from '../config/serialise';
import type { GoOn, Keeping, Taken } from '../keep/keeping';
import { areThese, type KeptTraining, partNames } from '../keep/kept-training';
import { readyValue } from '../lab/loadable';
import type { Progress } from '../protocol';
import { failed, type Result, success } from '../result';
import { catalogModelOf, fetchModel } from '../store/download';
import type { Kept } from '../store/vault';
import type { App } from './app';
import type { SampleGroup } from './samples/samples';

/** A kept training on text. */
export interface KeptText extends KeptTraining {
  samples: SampleGroup[];
}

/** How trainings on text are kept: with their data, and with their model where this site does not serve it. */
export function keepText(app: App): Keeping<KeptText> {
  return {
    experiment: app,
    onMore: (reader) => app.samples.writing.subscribe((writing) => !writing && reader()),
    take: () => takeText(app),
    asksForModel,
    modelOf: (kept, ...how) => modelOf(app, kept, ...how),
    prepare: (kept) => prepare(app, kept),
  };
}

function takeText(app: App): Taken<Pick<KeptText, 'samples'>> | null {
  const { lab, samples } = app;
  const source = app.dataSource.value;
  if (source === null) return null;
  const files = lab.modelFiles;
  const [first] = files;
  const catalog = (first !== undefined && files.length === 1 ? catalogModelOf(first) : null) ?? null;
  const name = catalog?.name ?? readyValue(lab.model.value)?.name ?? '';
  return {
    model: { name, catalog, files, keepFiles: catalog === null },
    data: source,
    own: { samples: [...samples.groups.value] },
    parts: new Map(),
  };
}

function asksForModel({ content, parts }: Kept<KeptText>): boolean {
  return (
    content.model.catalog === null &&
    content.model.files.some((_, index) => !parts.has(partNames.modelFile(index)))
  );
}

async function modelOf(
  app: App,
  { content, parts }: Kept<KeptText>,
  given: readonly File[],
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<File[]>> {
  const { catalog, files } = content.model;
  if (await areThese(app.lab.modelFiles, files)) return success([...app.lab.modelFiles]);
  if (catalog !== null) {
    const fetched = await fetchModel(catalog, onProgress, signal);
    return fetched.ok ? success(fetched.value.files) : fetched;
  }
  const stored = files.flatMap(({ name }, index) => {
    const blob = parts.get(partNames.modelFile(index));
    return blob === undefined ? [] : [new File([blob], name)];
  });
  if (stored.length === files.length) return success(stored);
  const names = files.map(({ name }) => name).join(', ');
  if (given.length === 0) return failed('resume', `Choose the model’s files again: ${names}.`);
  const chosen = files.flatMap(({ name }) => given.find((file) => file.name === name) ?? []);
  if (!(await areThese(chosen, files))) {
    return failed('resume', `These are not the files that were trained on. Choose the same ones: ${names}.`);
  }
  return success(chosen);
}

async function prepare(app: App, { content, parts }: Kept<KeptText>): Promise<Result<GoOn>> {
  const { engine, view } = app.config.value;
  const config = { ...readConfig(content.config).config, engine, view };
  app.config.set(config);
  const blob = parts.get(partNames.data);
  // A copy, because what is kept may be freed while it trains.
  const data = new Blob(blob === undefined ? [] : [await blob.arrayBuffer()]);
  if (!(await app.readData({ name: content.data.name, blob: data }))) {
    return failed('resume', 'The data of this training was not read; the data section says why.');
  }
  return success((metrics, workers) => void app.goOnFrom(config, metrics, content.samples, workers));
}
