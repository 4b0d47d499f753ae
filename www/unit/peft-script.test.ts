import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Config } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { settingsOf } from '../src/config/presets';
import { DEFAULT_VALIDATION, type OptimizerSettings, PRESETS, type Validation } from '../src/protocol';
import { factorStreams } from '../src/share/factor-streams';
import draws from '../src/share/page-draws.py?raw';
import { peftRun } from '../src/share/peft-run';
import { peftScript, type ScriptInput } from '../src/share/peft-script';
import { comment, python } from '../src/share/python';
import body from '../src/share/training.py?raw';

// Python starts slowly on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'peft-script-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What Python says of the script; empty where it is valid. */
function compile(script: string): string {
  const path = join(folder, 'experiment.py');
  writeFileSync(path, script);
  return spawnSync('python3', ['-W', 'error', '-m', 'py_compile', path], { encoding: 'utf8' }).stderr;
}

/** What Python makes of an expression, as JSON. */
function evaluated(expression: string): unknown {
  const code = `import json; print(json.dumps(${expression}))`;
  const answer = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
  expect(answer.stderr).toBe('');
  return JSON.parse(answer.stdout);
}

/** A function of the script, as it stands there. */
function functionOf(name: string): string {
  const [, text = ''] = new RegExp(`(def ${name}\\([\\s\\S]*?)\\n\\n\\n`).exec(body) ?? [];
  return text;
}

/** What Python makes of an expression about a `place` in which a program has run. */
function inPlace(program: string, expression: string): unknown {
  return evaluated(`(exec(${python(program)}, place := {}), (lambda: ${expression})())[1]`);
}

function presetOf(id: string): OptimizerSettings {
  const preset = PRESETS.find((one) => one.id === id);
  if (preset === undefined) throw new Error(id);
  return settingsOf(preset, 100);
}

const names = ['plain', '"quoted" \\ \'twice\'', 'two\nlines \u2028 and # more', 'Ünïcödé 🍣', '"""', ''];

function allRuns() {
  const config = defaultConfig();
  config.runs = PRESETS.map((preset, style) => ({
    name: names[style % names.length] ?? '',
    style,
    optimizer: settingsOf(preset, 100),
  }));
  return config;
}

/** The script of an experiment on a Llama, but for what `input` says. */
function scriptOf(config: Config, input: Partial<ScriptInput> = {}): string {
  const usual = { base: 'base', architecture: 'llama', data: { name: '' }, validation: null };
  return peftScript({ config, ...usual, ...input });
}

describe('PEFT script', () => {
  it('holds out as many examples as the page does', () => {
    // The counts of src/data/split.rs.
    const cases: [Validation, number, number][] = [
      [DEFAULT_VALIDATION, 1, 0],
      [DEFAULT_VALIDATION, 2, 1],
      [DEFAULT_VALIDATION, 100, 10],
      [DEFAULT_VALIDATION, 2000, 64],
      [{ share: 0.1 }, 25, 3],
      [{ share: 0.01 }, 3, 1],
      [{ count: 37 }, 100, 37],
      ['none', 100, 0],
    ];
    const program = `DATA_SETTINGS = {}\n${functionOf('held_out_of')}`;
    const held = `[(place["DATA_SETTINGS"].update(validation=each[0]), place["held_out_of"](each[1]))[1] for each in ${python(cases)}]`;
    expect(inPlace(program, held)).toEqual(cases.map(([, , wanted]) => wanted));
  });

  it('holds out the examples that the page holds out, and orders the others as it does', () => {
    const distinct = Array.from({ length: 20 }, (_, number) => `prompt ${number}`);
    const sevens = Array.from({ length: 300 }, (_, number) => `prompt ${Math.floor(number / 7)}`);
    const held = (prompts: unknown[], count: number, seed: number) =>
      `place["split_by_prompt"](${python(prompts)}, ${count}, ${seed})[1]`;
    const shuffle = (seed: number) => `place["shuffled"](10, ${seed}, 0)`;
    const asked = [
      held(distinct, 4, 0),
      held(Array(20).fill(null), 4, 1),
      held(sevens, 30, 1),
      held(Array(10).fill('same'), 3, 1),
      shuffle(0),
      shuffle(1),
    ];
    const answers = inPlace(draws, `[${asked.join(', ')}]`) as number[][];
    const [first, second, ofSevens = [], same, ...shuffles] = answers;
    // The numbers of src/data/split.rs and src/data/shuffle.rs.
    expect([first, second]).toEqual([
      [4, 13, 14, 15],
      [5, 9, 10, 11],
    ]);
    expect(ofSevens).toHaveLength(28);
    expect(
      ofSevens.every((one) => ofSevens.filter((other) => sevens[other] === sevens[one]).length === 7),
    ).toBe(true);
    // One prompt for all is split by example.
    expect(same).toHaveLength(3);
    expect(shuffles).toEqual([
      [3, 0, 5, 9, 6, 7, 2, 4, 1, 8],
      [5, 6, 9, 0, 8, 4, 3, 2, 1, 7],
    ]);
  });

  it('knows the stream of every first factor, of whole layers', () => {
    // As `Target::stream` deals them out.
    expect(factorStreams('q_proj')).toEqual([0, 7]);
    expect(factorStreams('down_proj')).toEqual([6, 7]);
    expect(factorStreams('c_attn')).toEqual([2 ** 31, 1]);
    expect(factorStreams('dense_4h_to_h')).toEqual([2 ** 31 + 6 * 2 ** 21, 1]);
    const config = defaultConfig();
    config.session.targets = ['q_proj', 'o_proj'];
    expect(scriptOf(config)).toContain('STREAMS = {"q_proj": [0, 7], "o_proj": [3, 7]}');
    // PEFT adapts GPT-2's queries together with keys and values.
    expect(scriptOf(config, { architecture: 'gpt2' })).toContain('STREAMS = {"attn.c_proj": [3, 7]}');
  });

  it('downloads the files of a data set that are not there, in their order', () => {
    const files = ['one', 'two'].map((name) => join(folder, `${name}.source`));
    for (const file of files) writeFileSync(file, `text of ${file}`);
    const data = join(folder, 'set.parquet');
    const here = join(folder, 'here.parquet');
    writeFileSync(here, 'all of it');
    const addresses = files.map((file) => `file://${file}`);
    const program = [
      'import pathlib, urllib.request',
      `ADDRESSES = ${python({ [data]: addresses })}`,
      functionOf('files_of'),
      'def texts_of(path):',
      '    return [file.read_text() if file.exists() else None for file in files_of(pathlib.Path(path))]',
    ].join('\n');
    const texts = `[place["texts_of"](path) for path in ${python([data, join(folder, 'other.parquet'), here])}]`;
    // Another file that was named is meant, there or not.
    expect(inPlace(`print = lambda words: None\n${program}`, texts)).toEqual([
      files.map((file) => `text of ${file}`),
      [null],
      ['all of it'],
    ]);
  });

  it('is valid Python for every preset, whatever runs and files are called', () => {
    for (const [architecture, data] of [
      ['llama', 'pairs.txt'],
      ['gpt2', names.join('')],
    ] as const) {
      const config = allRuns();
      config.session.targets = ['q_proj', 'v_proj', 'o_proj', 'down_proj'];
      config.data.columns = { prompt: ['a"b', 'c'], completion: 'd' };
      const script = scriptOf(config, { architecture, base: 'org/"base"', data: { name: data } });
      expect(compile(script)).toBe('');
      expect(script).not.toContain('# SETTINGS');
      for (const preset of PRESETS) {
        const run = peftRun(settingsOf(preset, 100));
        expect(script).toContain('skipped' in run ? run.skipped : run.optimizer);
      }
    }
  });

  it('says in place of a run what PEFT does not have', () => {
    const skipped = (edit: (optimizer: OptimizerSettings) => void, id = 'scaled-adamw-safe') => {
      const optimizer = presetOf(id);
      edit(optimizer);
      const run = peftRun(optimizer);
      return 'skipped' in run ? run.skipped : '';
    };
    expect(skipped(() => {})).toBe('');
    expect(skipped(() => {}, 'muon')).toContain('no Muon');
    expect(skipped(() => {}, 'alt-lora')).toContain('AltLoRA');
    const preconditioner = (part: object) => (optimizer: OptimizerSettings) => {
      Object.assign(optimizer.preconditioner ?? {}, part);
    };
    expect(skipped(preconditioner({ order: 'sequential' }))).toContain('sequential order');
    expect(skipped(preconditioner({ damping_kind: 'relative' }))).toContain('damping by a share');
    expect(skipped(preconditioner({ scale_aware: true }))).toContain('alpha / r');
    expect(skipped(preconditioner({ place: 'update' }))).toContain('updates');
    expect(skipped(preconditioner({ tangent: true }))).toContain('tangent space');
    expect(skipped((optimizer) => Object.assign(optimizer, { lr_ratio_b: 4 }))).toContain('lora_B');
    const config = allRuns();
    const script = scriptOf(config);
    expect(script).toMatch(/# .* is skipped: PEFT has no Muon/);
  });

  it('gives each method its optimizer with its numbers', () => {
    const optimizer = (id: string, part: Partial<OptimizerSettings> = {}) => {
      const run = peftRun({ ...presetOf(id), ...part });
      return 'optimizer' in run ? run.optimizer : run.skipped;
    };
    expect(optimizer('adamw')).toBe(
      'torch.optim.AdamW(trained(model), lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)',
    );
    expect(optimizer('scaled-adamw-paper')).toBe(
      'create_riemannian_optimizer(model, torch.optim.AdamW, lr=0.0008, reg=0.000001, betas=(0.7, 0.8), eps=0.000001, weight_decay=0.01)',
    );
    expect(optimizer('lora-plus')).toBe(
      'create_loraplus_optimizer(model, torch.optim.AdamW, lr=0.0002, loraplus_lr_ratio=16, loraplus_weight_decay=0.01, betas=(0.9, 0.999), eps=1e-8)',
    );
    expect(optimizer('lora-fa')).toContain('torch.optim.AdamW(lora_b_of(model), ');
    expect(optimizer('sgd')).toBe('torch.optim.SGD(trained(model), lr=0.1, weight_decay=0)');
    expect(optimizer('sgd-momentum')).toContain('torch.optim.SGD(trained(model), lr=0.01, momentum=0.9, ');
    expect(optimizer('scaled-gd', { momentum: 0.9, weight_decay: 0.1 })).toContain('(model, DecoupledSGD, ');
  });

  it('scales as the page does', () => {
    const config = defaultConfig();
    const scale = () => /"use_rslora": \w+/.exec(scriptOf(config))?.[0];
    expect(scale()).toBe('"use_rslora": False');
    config.session.use_rslora = true;
    expect(scale()).toBe('"use_rslora": True');
  });

  it('names GPT-2’s modules, and a fused layer once', () => {
    const config = defaultConfig();
    config.session.targets = ['q_proj', 'v_proj', 'down_proj'];
    const script = scriptOf(config, { architecture: 'gpt2' });
    expect(script).toContain('"target_modules": ["attn.c_attn", "mlp.c_proj"], "fan_in_fan_out": True');
    expect(script).toContain('PEFT adapts the whole');
  });

  it('writes values as Python reads them', () => {
    const value = { text: names, numbers: [1, 1e-8, 1e21, -0.5], flag: [true, false, null] };
    expect(evaluated(python(value))).toEqual(value);
    expect(comment('a\nb\u2028c')).toBe('a b c');
  });
});

// For scripts/check-peft: the golden experiment as a script.
const wanted = process.env.GOLDEN_SCRIPTS;
describe.runIf(wanted !== undefined)('golden experiment', () => {
  it.each(['llama', 'gpt2'])('of the %s is written', (architecture) => {
    const golden = join(import.meta.dirname, '..', '..', 'tests', 'fixtures', 'golden', architecture);
    const { cases } = JSON.parse(readFileSync(join(golden, 'golden.json'), 'utf8'));
    const config = defaultConfig();
    Object.assign(config.session, { rank: 4, alpha: 8, batch_size: 2, steps: 10 });
    config.session.targets =
      architecture === 'gpt2'
        ? ['o_proj', 'up_proj', 'down_proj', 'c_attn']
        : ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
    // biome-ignore lint/suspicious/noExplicitAny: the golden file is its own documentation.
    config.runs = Object.entries<any>(cases).map(([name, { hyper }], style) => ({
      name,
      style,
      optimizer: {
        ...presetOf('adamw'),
        rule: hyper.base,
        lr: hyper.lr,
        lr_ratio_b: hyper.lr_ratio_b ?? 1,
        betas: hyper.betas ?? [0.9, 0.999],
        eps: hyper.eps ?? 1e-8,
        weight_decay: hyper.wd,
        max_grad_norm: hyper.clip,
        schedule: {
          warmup_steps: hyper.warmup ?? 0,
          decay: hyper.warmup === undefined ? 'constant' : 'linear',
        },
        preconditioner:
          hyper.damping === null
            ? null
            : {
                damping: hyper.damping,
                damping_kind: 'absolute',
                order: hyper.order ?? 'simultaneous',
                scale_aware: false,
                place: 'gradient',
                tangent: false,
                realigns_momentum: false,
              },
      } satisfies OptimizerSettings,
    }));
    const script = scriptOf(config, { architecture, base: 'tiny' });
    writeFileSync(join(wanted ?? folder, `${architecture}.py`), script);
  });

  it('of conversations is written, with what the native program is told of it', () => {
    const config = defaultConfig();
    Object.assign(config.session, {
      rank: 4,
      alpha: 8,
      batch_size: 3,
      steps: 12,
      seed: 5,
      diagnostics: false,
    });
    config.session.targets = ['q_proj', 'v_proj', 'down_proj'];
    config.validationEvery = 5;
    Object.assign(config.data, { sequence_length: 96, validation: { count: 4 }, seed: 3 });
    config.runs = ['adamw', 'scaled-adamw-safe'].map((id, style) => ({
      name: id,
      style,
      optimizer: { ...presetOf(id), max_grad_norm: 1, schedule: { warmup_steps: 3, decay: 'cosine' } },
    }));
    const script = scriptOf(config, { base: 'base', data: { name: 'chats.jsonl' } });
    writeFileSync(join(wanted ?? folder, 'chats.py'), script);
    const runs = config.runs.map(({ name, optimizer }) => ({ name, optimizer }));
    const settings = { session: { ...config.session, runs }, data: config.data };
    writeFileSync(join(wanted ?? folder, 'chats.json'), JSON.stringify(settings));
  });
});
