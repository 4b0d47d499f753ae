// One session of the CPU module without the page around it; cpu.spec.ts serves and drives it.
let session;

const questions = {
  async load({ data, dataSettings, settings }) {
    const engine = await import('/riemann_lora.js');
    await engine.default({ module_or_path: '/riemann_lora_bg.wasm' });
    await engine.start_engine();
    const model = new File([await (await fetch('/model.gguf')).blob()], 'model.gguf');
    session = await engine.WebSession.load_model([model], () => true);
    await session.load_data('data.txt', new TextEncoder().encode(data), dataSettings, () => true);
    session.configure(settings);
    return session.model();
  },
  async step() {
    const began = performance.now();
    const report = await session.step();
    return { ...report, wall: (performance.now() - began) / 1000 };
  },
  async ceiling({ file }) {
    const REPETITIONS = 4_000_000;
    const { instance } = await WebAssembly.instantiateStreaming(fetch(file));
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 8; i += 1) {
      const began = performance.now();
      instance.exports.ceiling(REPETITIONS);
      least = Math.min(least, performance.now() - began);
    }
    return (80 * REPETITIONS) / least / 1e6;
  },
};

self.onmessage = async ({ data: { id, question, body } }) => {
  try {
    self.postMessage({ id, answer: await questions[question](body) });
  } catch (error) {
    self.postMessage({ id, error: error?.message ?? String(error) });
  }
};
