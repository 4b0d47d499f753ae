import type { KeptWorker } from '../lab/trainee';
import { unpackMetrics } from '../metrics/packed';
import type { Progress } from '../protocol';
import { failed, type Result, success } from '../result';
import type { Kept } from '../store/vault';
import type { Keeper } from './keeper';
import { type KeptTraining, partNames } from './kept-training';

/** Loads what the kept training needs, restores its workers and curves, and goes on. `given` are the model's files, where asked for. */
export async function goOnWithKept<Of extends KeptTraining>(
  keeper: Keeper<Of>,
  id: string,
  given: readonly File[],
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<null>> {
  onProgress({ action: 'Checking what was kept', done: 0, total: 0 });
  const kept = await keeper.claim(id);
  if (!kept.ok) return kept;
  const answer = await start(keeper, kept.value, given, onProgress, signal);
  if (!answer.ok) await keeper.unclaim(id);
  return answer;
}

async function start<Of extends KeptTraining>(
  keeper: Keeper<Of>,
  kept: Kept<Of>,
  given: readonly File[],
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<null>> {
  const { keeping } = keeper;
  const files = await keeping.modelOf(kept, given, onProgress, signal);
  if (!files.ok) return files;
  const state = await stateOf(kept);
  if (!state.ok) return state;
  if (signal.aborted) return failed('resume', 'Stopped. What was kept is still there.');
  const model = await keeping.experiment.lab.loadModel(files.value);
  if (!model.ok) return model;
  const ready = await keeping.prepare(kept);
  if (!ready.ok) return ready;
  keeper.continues(kept);
  ready.value(state.value.metrics, state.value.workers);
  return success(null);
}

async function stateOf({ content, parts }: Kept<KeptTraining>) {
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
