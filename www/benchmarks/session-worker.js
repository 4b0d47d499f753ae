// One session of either engine's module without the page around it, with the GPU's buffers counted; bench-page.ts serves
// and asks it.
import { answer } from './answers.js';

let session;
let memory;
let gpuBytes = 0;
let mostGpuBytes = 0;

/** Bytes of all buffers that were made and neither destroyed nor collected. */
function countBuffers() {
  if (typeof GPUDevice === 'undefined') return;
  const sizes = new Map();
  const forget = (key) => {
    gpuBytes -= sizes.get(key) ?? 0;
    sizes.delete(key);
  };
  const collected = new FinalizationRegistry(forget);
  const keys = new WeakMap();
  const { createBuffer } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (description) {
    const buffer = createBuffer.call(this, description);
    const key = Symbol();
    keys.set(buffer, key);
    sizes.set(key, description.size);
    gpuBytes += description.size;
    mostGpuBytes = Math.max(mostGpuBytes, gpuBytes);
    collected.register(buffer, key);
    return buffer;
  };
  const { destroy } = GPUBuffer.prototype;
  GPUBuffer.prototype.destroy = function () {
    forget(keys.get(this));
    return destroy.call(this);
  };
}

const always = () => true;

async function timed(action) {
  const began = performance.now();
  const value = await action();
  return { value, seconds: (performance.now() - began) / 1000 };
}

answer({
  /** Each file is `[name, address]`. */
  async load({ engine, files, data, dataName = 'data.txt', dataSettings }) {
    countBuffers();
    const module = await import(`/engines/${engine}/riemann_lora.js`);
    ({ memory } = await module.default());
    await module.start_engine();
    const model = await Promise.all(
      files.map(async ([name, address]) => new File([await (await fetch(address)).blob()], name)),
    );
    session = await module.WebSession.load_model(model, always);
    await session.load_data(
      dataName,
      new TextEncoder().encode(data),
      undefined,
      undefined,
      dataSettings,
      always,
    );
    return session.model();
  },
  /** Bytes that a session with these settings is expected to need. */
  async estimate(settings) {
    return session.estimate(settings);
  },
  async configure(settings) {
    mostGpuBytes = gpuBytes;
    await session.configure(settings);
  },
  /** A step's report, and the seconds that it took. */
  async step() {
    return timed(() => session.step());
  },
  async shard({ shard, shards }) {
    return timed(() => session.shard(shard, shards));
  },
  async stepWithShards(shards) {
    return timed(() => session.step_with_shards(shards));
  },
  async steps(count) {
    const bytes = [];
    for (let step = 0; step < count; step += 1) {
      await session.step();
      bytes.push([memory.buffer.byteLength, gpuBytes]);
    }
    return bytes;
  },
  /** An evaluation and a sample, again and again. */
  async turns({ count, sample }) {
    const bytes = [];
    for (let turn = 0; turn < count; turn += 1) {
      await session.evaluate(always);
      await session.sample(sample, always);
      bytes.push([memory.buffer.byteLength, gpuBytes]);
    }
    return bytes;
  },
  /** What is held now, and the most of GPU memory since the session was configured. */
  async bytes() {
    return { heap: memory.buffer.byteLength, gpu: gpuBytes, mostGpu: mostGpuBytes };
  },
});
