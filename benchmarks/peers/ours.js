// This project: benchmarks/works, built for either engine.
import { answer } from './worker.js';

answer(async ({ engine, work, size }) => {
  const module = await import(`/works/${engine}/works.js`);
  await module.default();
  const made = await module.BenchWork.prepare(work, size);
  return {
    about: {},
    step: () => made.step(),
    check: (loss) => made.check(loss),
    shard: (shard, shards) => made.shard(shard, shards),
    stepWithShards: (shards) => made.step_with_shards(shards),
  };
});
