import { readConfig } from '../config/serialise';
import type { KeptWorker } from '../lab/trainee';
import type { App } from '../language/app';
import { unpackMetrics } from '../metrics/packed';
import type { Progress } from '../protocol';
import { failed, type Result, success } from '../result';
import { digestOf } from '../store/digest';
import { fetchModel } from '../store/download';
import type { Generation } from '../store/vault';
import type { Keeper } from './keeper';
import { type KeptFile, type KeptTraining, partNames } from './kept-training';

/** Whether the user must give the model's files again: they had no room, and are not what is loaded. */
export function asksForModel({ content, parts }: Generation<KeptTraining>): boolean {
  return (
    content.model.catalog === null &&
    content.model.files.some((_, index) => !parts.has(partNames.modelFile(index)))
  );
}

/** Loads what the kept training needs, restores its workers and curves, and goes on. `given` are the model's files, where asked for. */
export async function resume(
  app: App,
  keeper: Keeper,
  given: readonly File[],
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<null>> {
  onProgress({ action: 'Checking what was kept', done: 0, total: 0 });
  const kept = await keeper.open();
  if (kept === null) {
    return failed(
      'resume',
      'What was kept is damaged, and so is the copy before it. Discard it and train anew.',
    );
  }
  const { content, parts } = kept;
  const files = await modelOf(app, kept, given, onProgress, signal);
  if (!files.ok) return files;
  const restored = await stateOf(kept);
  if (!restored.ok) return restored;
  if (signal.aborted) return failed('resume', 'Stopped. What was kept is still there.');
  const model = await app.lab.loadModel(files.value);
  if (!model.ok) return model;
  const { engine, view } = app.config.value;
  const config = { ...readConfig(content.config).config, engine, view };
  app.config.set(config);
  const blob = parts.get(partNames.data);
  // A copy, because what is kept may be freed while it trains.
  const data = new Blob(blob === undefined ? [] : [await blob.arrayBuffer()]);
  if (!(await app.readData({ name: content.data.name, blob: data }))) {
    return failed('resume', 'The data of this training was not read; the data section says why.');
  }
  const { workers, metrics } = restored.value;
  void app.resume(config, metrics, content.samples, workers);
  keeper.continues(content.began);
  return success(null);
}

async function modelOf(
  app: App,
  { content, parts }: Generation<KeptTraining>,
  given: readonly File[],
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<File[]>> {
  const { catalog, files } = content.model;
  if (await areThese(app.lab.modelFiles, files)) return success([...app.lab.modelFiles]);
  if (catalog !== null) {
    const file = await fetchModel(catalog, onProgress, signal);
    return file.ok ? success([file.value]) : file;
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

async function areThese(files: readonly File[], wanted: readonly KeptFile[]): Promise<boolean> {
  if (files.length !== wanted.length || files.some((file, index) => file.size !== wanted[index]?.bytes))
    return false;
  const digests = await Promise.all(files.map(digestOf));
  return digests.every((digest, index) => digest === wanted[index]?.digest);
}

async function stateOf({ content, parts }: Generation<KeptTraining>) {
  const bytesOf = async (name: string) =>
    new Uint8Array((await parts.get(name)?.arrayBuffer()) ?? new ArrayBuffer());
  const curves = await bytesOf(partNames.metrics);
  const metrics = unpackMetrics({ ...content.metrics, bytes: curves });
  if (metrics === null)
    return failed('resume', 'The kept curves are damaged. Discard this training and start anew.');
  const workers = await Promise.all(
    content.workers.map(async (place, index): Promise<KeptWorker> => {
      return { ...place, bytes: await bytesOf(partNames.worker(index)) };
    }),
  );
  return success({ metrics, workers });
}
