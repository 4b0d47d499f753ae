import type { Reply } from '../engine/worker-api';
import type { StepReport } from '../protocol';
import type { Held, Terms } from './seat';

/**
 * One step of runs that several workers hold: each computes a shard of the batch, and each takes the step from the sum of
 * all, so that they stay the same. One worker takes it by itself.
 */
export async function stepOn(workers: readonly [Held, ...Held[]], terms: Terms): Promise<Reply<StepReport>> {
  const [first] = workers;
  if (workers.length === 1) return first.call((api) => api.step(), terms);
  const shards = await all(
    workers.map((worker, index) => worker.call((api) => api.shard(index, workers.length), terms)),
  );
  if (!shards.ok) return shards;
  // Not under the same terms: half of a step would leave the workers apart.
  const reports = await all(workers.map((worker) => worker.call((api) => api.stepWithShards(shards.value))));
  if (!reports.ok) return reports;
  const [report] = reports.value;
  const memory = reports.value.reduce((sum, { memory_bytes }) => sum + memory_bytes, 0);
  return { ok: true, value: { ...report, memory_bytes: memory } };
}

/** All answers, or the first failure, after every worker has answered: none is asked anything else before. */
async function all<Value>(questions: Promise<Reply<Value>>[]): Promise<Reply<[Value, ...Value[]]>> {
  const answers = await Promise.all(questions);
  // A worker that died must be replaced; what else went wrong comes from it.
  const failed = answers.find((answer) => !answer.ok && answer.lost) ?? answers.find((answer) => !answer.ok);
  if (failed !== undefined && !failed.ok) return failed;
  return {
    ok: true,
    value: answers.flatMap((answer) => (answer.ok ? [answer.value] : [])) as [Value, ...Value[]],
  };
}
