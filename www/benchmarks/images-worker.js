// One session on pictures of the CPU module without the page around it; images.spec.ts serves and drives it.
import { answer } from './answers.js';

let session;

answer({
  async load({ module, captions, pixels, validation, settings }) {
    const engine = await import(`/engines/${module}/riemann_lora.js`);
    await engine.default();
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
    for (let step = 0; step < count; step += 1) await session.step();
    return { wall: (performance.now() - began) / 1000 };
  },
  async draw({ settings }) {
    const began = performance.now();
    const { runs, pixels } = await session.draw(settings, () => true);
    return { lanes: runs.length, bytes: pixels.length, wall: (performance.now() - began) / 1000 };
  },
});
