import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
import { expect, type LabPage, test } from './lab-test';

const golden = join(import.meta.dirname, '..', '..', 'tests', 'fixtures', 'golden');

async function exported(lab: LabPage, form: string, run: string): Promise<{ name: string; bytes: Buffer }> {
  const download = lab.page.waitForEvent('download');
  await lab.page.getByRole('button', { name: `${form} of ${run}`, exact: true }).click();
  const file = await download;
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

async function bring(lab: LabPage, files: { name: string; buffer: Buffer }[]): Promise<void> {
  const input = lab.page.locator('#adapters input[type=file]').first();
  await input.setInputFiles(files.map((file) => ({ mimeType: 'application/octet-stream', ...file })));
}

function validation(lab: LabPage, run: number): Promise<(number | null)[]> {
  return lab.page.evaluate((index) => window.testHooks?.validation(index) ?? [], run);
}

const last = (values: (number | null)[]) => values.at(-1) ?? Number.NaN;

test('an adapter leaves as a PEFT folder, comes back, and all runs start where it was', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 10, validate: 5 });
  const button = page.getByRole('button', { name: 'PEFT folder of Scaled AdamW' });
  await expect(button).toHaveCount(0);
  await lab.start();
  await lab.finished();
  const loss = last(await validation(lab, 1));
  const { name, bytes } = await exported(lab, 'PEFT folder', 'Scaled AdamW');
  expect(name).toBe('Scaled-AdamW.zip');
  const files = unzipSync(new Uint8Array(bytes));
  expect(Object.keys(files).sort()).toEqual([
    'Scaled-AdamW/README.md',
    'Scaled-AdamW/adapter_config.json',
    'Scaled-AdamW/adapter_model.safetensors',
  ]);
  const read = (path: string) => strFromU8(files[`Scaled-AdamW/${path}`] ?? new Uint8Array());
  expect(JSON.parse(read('adapter_config.json'))).toMatchObject({
    r: 8,
    lora_alpha: 16,
    peft_type: 'LORA',
    use_rslora: false,
  });
  expect(read('README.md')).toContain('| Steps | 10 of 10 |');

  // Another rank, so that it is seen to follow.
  await lab.set('rank', '4');
  await bring(lab, [{ name, buffer: bytes }]);
  const about = page.locator('.adapter-start');
  await expect(about).toContainText('Scaled-AdamW');
  await expect(about).toContainText(/(\d+) of \1 tensors, in (\d+) of \2 blocks/);
  await expect(lab.field('rank').locator('input').first()).toHaveValue('8');
  await page.locator('#adapters').scrollIntoViewIfNeeded();
  await lab.set('steps', '1');
  await lab.start();
  await lab.finished();
  for (const run of [0, 1]) {
    const [first] = await validation(lab, run);
    expect(first).toBeCloseTo(loss, 5);
  }
  const again = await exported(lab, 'PEFT folder', 'AdamW');
  const recipe = unzipSync(new Uint8Array(again.bytes))['AdamW/README.md'];
  expect(strFromU8(recipe ?? new Uint8Array())).toContain('| Start | Scaled-AdamW |');

  // Settings that are not the adapter's are told where they are.
  await lab.set('alpha', '3');
  await expect(lab.field('alpha').locator('.problem')).toContainText('which has alpha 16');
  await expect(lab.button('start')).toBeDisabled();
  await page.locator('#start-afresh').click();
  await expect(about).toBeHidden();
  await expect(lab.field('alpha').locator('.problem')).toBeHidden();
  await expect(lab.button('start')).toBeEnabled();
});

test('a merged model is a model again, with the loss of its run', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 6, validate: 6 });
  await lab.start();
  await lab.finished();
  const loss = last(await validation(lab, 0));
  await page.getByLabel('Numbers in GGUF and merged files').selectOption('f32');
  const { name, bytes } = await exported(lab, 'Merged model', 'AdamW');
  expect(name).toBe('AdamW-merged.zip');
  const files = unzipSync(new Uint8Array(bytes));
  const gguf = await exported(lab, 'GGUF LoRA', 'AdamW');
  expect(gguf.name).toBe('AdamW-lora-f32.gguf');
  expect(gguf.bytes.subarray(0, 4).toString()).toBe('GGUF');

  const model = ['config.json', 'model.safetensors', 'tokenizer.json'].map((file) => ({
    name: file,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(files[`AdamW-merged/${file}`] ?? []),
  }));
  await page.locator('#model input[type=file]').first().setInputFiles(model);
  await expect(page.locator('#model .facts')).toBeVisible();
  await expect(page.locator('#data .facts')).toBeVisible();
  await lab.set('steps', '1');
  await expect(lab.button('start')).toBeEnabled();
  await lab.start();
  await lab.finished();
  const [first] = await validation(lab, 0);
  expect(first).toBeCloseTo(loss, 4);
});

test('what is no adapter of this base says so in its section', async ({ lab }) => {
  const { page } = lab;
  const problem = page.locator('#adapters .message.bad').last();
  const read = (path: string) => readFileSync(join(golden, path));
  const folder = (architecture: string, edit = (text: string) => text) => [
    {
      name: 'adapter_config.json',
      buffer: Buffer.from(edit(read(`${architecture}/adapter_random/adapter_config.json`).toString())),
    },
    {
      name: 'adapter_model.safetensors',
      buffer: read(`${architecture}/adapter_random/adapter_model.safetensors`),
    },
  ];
  await bring(lab, folder('llama'));
  await expect(problem).toContainText('Load the model that the adapter was made for first');
  await lab.loadModel();
  await bring(lab, folder('gpt2'));
  await expect(problem).toContainText('which is not one of this base');
  await bring(
    lab,
    folder('llama', (text) => text.replace('"use_dora": false', '"use_dora": true')),
  );
  await expect(problem).toContainText('use_dora is true');
  await bring(lab, [{ name: 'notes.zip', buffer: Buffer.from('hello') }]);
  await expect(problem).toContainText('notes.zip is no zip');
  const other = zipSync({ 'readme.txt': strToU8('nothing') });
  await bring(lab, [{ name: 'other.zip', buffer: Buffer.from(other) }]);
  await expect(problem).toContainText('other.zip holds no adapter_config.json');
  // After all that, one that fits.
  await bring(lab, folder('llama'));
  await expect(problem).toBeHidden();
  await expect(page.locator('.adapter-start')).toContainText('Made for');
  await expect(lab.field('rank').locator('input').first()).toHaveValue('4');
  await expect(page.locator('#target-down_proj')).toBeChecked();
});

test('what was matched of an adapter, its scale and what was done to it are said', async ({ lab }) => {
  const { page } = lab;
  const about = page.locator('.adapter-start');
  const folder = (name: string) =>
    ['adapter_config.json', 'adapter_model.safetensors'].map((file) => ({
      name: file,
      buffer: readFileSync(join(golden, '..', 'adapters', name, file)),
    }));
  await lab.loadModel();
  await bring(lab, folder('rslora'));
  await expect(about).toContainText('12 of 12 tensors, in 2 of 2 blocks');
  await expect(about).toContainText('alpha / √rank (rsLoRA)');
  await expect(lab.field('use_rslora').locator('input')).toBeChecked();
  await expect(about.locator('ul')).toBeHidden();
  await bring(lab, folder('layers'));
  await expect(about).toContainText('4 of 4 tensors, in 1 of 2 blocks');
  await expect(lab.field('use_rslora').locator('input')).not.toBeChecked();
  await bring(lab, folder('patterns'));
  await expect(about.locator('li')).toHaveText([/^Ranks differ between modules/, /^Scales differ between/]);
  // The switch that is not the adapter's is told where it is.
  await lab.field('use_rslora').locator('input').check();
  await expect(lab.field('use_rslora').locator('.problem')).toContainText('without rsLoRA');
  await expect(lab.button('start')).toBeDisabled();
});

test('the experiment leaves as a Python script', async ({ lab, context }) => {
  const { page } = lab;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await lab.loadModel();
  await page.getByLabel('Base in Python', { exact: true }).fill('org/base');
  const download = page.waitForEvent('download');
  await page.locator('#save-script').click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('experiment.py');
  const script = readFileSync(await file.path(), 'utf8');
  expect(script).toContain('BASE = "org/base"');
  expect(script).toContain('create_riemannian_optimizer(model, torch.optim.AdamW, lr=0.001, reg=0.01');
  await page.locator('#copy-script').click();
  await expect(page.locator('#adapters')).toContainText('Copied.');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(script);
  await page.getByText('Read the script').click();
  await expect(page.getByLabel('The script')).toHaveValue(script);
});
