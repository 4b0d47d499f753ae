// Losses of the same training in single and in half precision, on a WebGPU adapter that has both: Dawn in Node, and what
// Vulkan driver VK_DRIVER_FILES names. Says them as JSON.
//
//   node steps.js MODULE_FOLDER STEPS SETTINGS DATA MODEL_FILE...
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { create, globals } from 'webgpu';

const [folder, steps, settingsFile, data, ...model] = process.argv.slice(2);

// What the module looks for in a worker.
Object.assign(globalThis, globals, { WorkerGlobalScope: class {} });
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) } });

const always = () => true;
const engine = await import(join(folder, 'riemann_lora.js'));
await engine.default({ module_or_path: readFileSync(join(folder, 'riemann_lora_bg.wasm')) });
const report = await engine.start_engine();
const settings = JSON.parse(readFileSync(settingsFile, 'utf8'));

async function losses(half) {
  const files = model.map((name) => new File([readFileSync(name)], basename(name)));
  const session = await engine.WebSession.load_model(files, always);
  const shape = { format: null, columns: null, documents: 'file', prompt_style: 'plain', loss_on: 'completion' };
  await session.load_data('data.txt', readFileSync(data), { ...shape, seed: 0, ...settings.data }, always);
  session.configure({ ...settings.session, diagnostics: false, half_precision: half });
  const rows = [];
  for (let step = 0; step < Number(steps); step += 1) {
    rows.push((await session.step()).runs.map(({ loss }) => loss));
  }
  session.free();
  return rows;
}

const found = { adapter: report.description, products: report.products.choices };
console.log(JSON.stringify({ ...found, single: await losses(false), half: await losses(true) }));
process.exit(0);
