import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { settingsOf } from '../src/config/presets';
import { defaultPictureConfig, GRID, type PictureConfig } from '../src/images/config';
import { metadataOf, savedPictures } from '../src/images/picture-metadata';
import type { Picture, PictureSet } from '../src/images/pictures/picture';
import { OWN_SET } from '../src/images/shelf';
import { textToImageScript } from '../src/images/text-to-image-script';
import { PRESETS } from '../src/protocol';

// Python starts slowly on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'text-to-image-'));
afterAll(() => rmSync(folder, { recursive: true }));

function config(edit: (config: PictureConfig) => void = () => {}): PictureConfig {
  const made = defaultPictureConfig();
  edit(made);
  return made;
}

const picture = (name: string, caption: string): Picture => ({ name, caption, pixels: new Uint8Array(3) });
const set = (name: string): PictureSet => ({
  name,
  pictures: [
    picture('Cat 1.JPG', 'a zib'),
    picture('b"c.png', 'a “zib”\nin two lines'),
    picture('c.webp', 'zib'),
  ],
  validation: 1,
});

describe('the text-to-image script', () => {
  it('is valid Python for every preset, whatever runs and captions are called', () => {
    const script = textToImageScript(
      config((made) => {
        made.runs = PRESETS.map((preset, style) => ({
          name: `"${style}" \\ \n and more`,
          style,
          optimizer: settingsOf(preset, 100),
          text_lr: null,
        }));
        made.draw.prompt = 'a "zib"\n\'two\' \\ 🍣';
      }),
    );
    const path = join(folder, 'script.py');
    writeFileSync(path, script);
    const compiled = spawnSync('python3', ['-W', 'error', '-m', 'py_compile', path], { encoding: 'utf8' });
    expect(compiled.stderr).toBe('');
    for (const mark of ['# SETTINGS', '# OPTIMIZERS', '# DRAWS']) expect(script).not.toContain(`${mark}\n`);
  });

  it('gives denoiser and text encoder rates and dampings of their own', () => {
    const script = textToImageScript(
      config((made) => {
        made.runs = made.runs.slice(2);
        for (const run of made.runs) run.text_lr = 1e-5;
      }),
    );
    expect(script).toContain('"lr": 0.001, "text_lr": 0.00001,');
    expect(script).toContain('"damping": 0.01, "text_damping": 0.01,');
    expect(script).toContain(
      'lambda model, lr, reg: create_riemannian_optimizer(model, torch.optim.AdamW, lr=lr, reg=reg, ',
    );
    // A method without damping has none to be given, and a run without a rate of its own for the text has the denoiser's.
    expect(script).toContain('"damping": None, "text_damping": None,');
    expect(textToImageScript(config())).toContain('"lr": 0.1, "text_lr": 0.1,');
  });

  it('adapts the layers of a Stable Diffusion that are called so', () => {
    const script = textToImageScript(
      config(({ session }) => {
        session.targets = ['q_proj', 'o_proj', 'gate_proj', 'up_proj'];
      }),
    );
    expect(script).toContain('DENOISER_TARGETS = ["to_q", "to_out.0", "ff.net.0.proj"]');
    expect(script).toContain('TEXT_TARGETS = ["q_proj", "out_proj", "fc1"]');
    const captions = /CAPTIONS = (.*)/.exec(script)?.[1] ?? '';
    expect(JSON.parse(captions)).toEqual(Array(GRID).fill('red heart'));
  });
});

describe('captions of pictures', () => {
  it('name the files that the user has', async () => {
    const lines = metadataOf(set(OWN_SET)).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { file_name: 'Cat 1.JPG', text: 'a zib' },
      { file_name: 'b"c.png', text: 'a “zib”\nin two lines' },
      { file_name: 'c.webp', text: 'zib', validation: true },
    ]);
    const saved = await savedPictures(set(OWN_SET));
    expect(saved.file).toBe('metadata.jsonl');
    expect(await saved.content.text()).toBe(metadataOf(set(OWN_SET)));
  });

  it('number the pictures that nobody has but the page', () => {
    const names = metadataOf(set('A subject'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).file_name);
    expect(names).toEqual(['001.png', '002.png', '003.png']);
  });
});

// For scripts/check-diffusers: a training of a minute, with pictures' captions as the page saves them.
const wanted = process.env.GOLDEN_SCRIPTS;
it.runIf(wanted !== undefined)('the golden script is written', () => {
  const script = textToImageScript(
    config((made) => {
      Object.assign(made.session, {
        rank: 4,
        alpha: 8,
        batch_size: 3,
        micro_batch_size: 2,
        steps: 12,
        dropout: 0.1,
      });
      made.runs = made.runs.slice(2).map((run) => ({ ...run, text_lr: run.optimizer.lr / 10 }));
      Object.assign(made, { validationEvery: 6, checkpointEvery: 4, drawEvery: 6 });
      Object.assign(made.draw, { steps: 4, prompt: 'a red zib\na zib' });
    }),
  );
  writeFileSync(join(wanted ?? folder, 'text-to-image.py'), script);
  const pictures = ['one.png', 'two.jpg', 'three.webp', 'four.png', 'five.png'];
  const own = {
    name: OWN_SET,
    pictures: pictures.map((name, number) => picture(name, `a ${['red', 'blue'][number % 2]} zib`)),
    validation: 1,
  };
  writeFileSync(join(wanted ?? folder, 'metadata.jsonl'), metadataOf(own));
});
