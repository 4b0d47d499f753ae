// One session on pictures of the CPU module without the page around it; images.spec.ts serves and drives it.
let session;

const questions = {
  async load({ module, captions, pixels, validation, settings }) {
    const engine = await import(`/${module}/riemann_lora.js`);
    await engine.default({ module_or_path: `/${module}/riemann_lora_bg.wasm` });
    await engine.start_engine();
    const file = async (name) => new File([await (await fetch(`/icons/${name}`)).blob()], name);
    const files = await Promise.all(['config.json', 'model.safetensors', 'words.txt'].map(file));
    session = await engine.WebPictureSession.load_model(files, () => true);
    session.load_pictures(captions, Uint8Array.from(pixels), validation, { caption_dropout: 0 });
    session.configure(settings);
    return session.model();
  },
  async steps({ count }) {
    const began = performance.now();
    let report;
    for (let step = 0; step < count; step += 1) report = await session.step();
    return { report, wall: (performance.now() - began) / 1000 };
  },
  async draw({ settings }) {
    const began = performance.now();
    const { runs, pixels } = await session.draw(settings, () => true);
    return { lanes: runs.length, bytes: pixels.length, wall: (performance.now() - began) / 1000 };
  },
};

self.onmessage = async ({ data: { id, question, body } }) => {
  try {
    self.postMessage({ id, answer: await questions[question](body) });
  } catch (error) {
    self.postMessage({ id, error: error?.message ?? String(error) });
  }
};
