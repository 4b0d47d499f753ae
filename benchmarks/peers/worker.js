// What every engine's worker answers: `prepare` makes a work, `step` takes one training step of it and says how long that
// took and what the others must find too.

/** `make(body)` resolves to `{ about, step, check }` of the work that the body names. */
export function answer(make) {
  let work;
  const questions = {
    async prepare(body) {
      work = await make(body);
      return work.about;
    },
    async step() {
      const began = performance.now();
      const loss = await work.step();
      const seconds = (performance.now() - began) / 1000;
      return { seconds, check: await work.check(loss) };
    },
    /** Where a work can be shared by workers: what one adds, and the step from all of them. */
    shard: ({ shard, shards }) => work.shard(shard, shards),
    stepWithShards: (shards) => work.stepWithShards(shards),
  };
  self.onmessage = async ({ data: { id, question, body } }) => {
    try {
      self.postMessage({ id, answer: await questions[question](body) });
    } catch (error) {
      self.postMessage({ id, error: error?.stack ?? String(error) });
    }
  };
}
