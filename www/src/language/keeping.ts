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
  /** Name of the file that it is measured on; missing or null where that is a part of the data. */
  validation?: string | null;
  /** Where others can download the data and that file; missing where they cannot. */
  addresses?: { data: readonly string[]; validation: readonly string[] };
}

/** Name of the part that is the file that it is measured on. */
const VALIDATION = 'validation';

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

function takeText(app: App): Taken<Pick<KeptText, 'samples' | 'validation' | 'addresses'>> | null {
  const { lab, samples } = app;
  const validation = app.validationSource.value;
  const source = app.dataSource.value;
  if (source === null) return null;
  const files = lab.modelFiles;
  const [first] = files;
  const catalog = (first !== undefined && files.length === 1 ? catalogModelOf(first) : null) ?? null;
  const name = catalog?.name ?? readyValue(lab.model.value)?.name ?? '';
  return {
    model: { name, catalog, files, keepFiles: catalog === null },
    data: source,
    own: {
      samples: [...samples.groups.value],
      validation: validation?.name ?? null,
      addresses: { data: source.addresses ?? [], validation: validation?.addresses ?? [] },
    },
    parts: new Map(validation === null ? [] : [[VALIDATION, validation.blob]]),
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
  const data = await copyOf(parts.get(partNames.data));
  const name = content.validation ?? null;
  const { addresses } = content;
  const validation = async (name: string) => ({
    name,
    blob: await copyOf(parts.get(VALIDATION)),
    addresses: addresses?.validation ?? [],
  });
  app.validationSource.set(name === null ? null : await validation(name));
  const source = { name: content.data.name, blob: data, addresses: addresses?.data ?? [] };
  if (!(await app.readData(source))) {
    return failed('resume', 'The data of this training was not read; the data section says why.');
  }
  return success((metrics, workers) => void app.goOnFrom(config, metrics, content.samples, workers));
}

/** A copy, because what is kept may be freed while it trains. */
async function copyOf(blob: Blob | undefined): Promise<Blob> {
  return new Blob(blob === undefined ? [] : [await blob.arrayBuffer()]);
}
