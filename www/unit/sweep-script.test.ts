import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { PRESETS } from '../src/protocol';
import { RunBook } from '../src/runs/book';
import type { RunRecord } from '../src/runs/record';
import { readResults } from '../src/runs/results-file';
import { SweepBook } from '../src/sweep/book';
import { defaultSweep } from '../src/sweep/config';
import { pointName, wantedPoints } from '../src/sweep/plan';
import { newRecord, type SweepBasis, type SweepRecord } from '../src/sweep/record';
import { openResults, saveResults } from '../src/sweep/results-file';
import resultsPython from '../src/sweep/sweep-results.py?raw';
import { sweepScript } from '../src/sweep/sweep-script';
import { FakeShelf } from './fake-browser';

// Python starts slowly on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'sweep-script-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Six trials on conversations, as tests/peft/ray_sweep.py trains them. */
function plan() {
  const config = defaultConfig();
  Object.assign(config.session, { rank: 4, alpha: 8, batch_size: 3, steps: 12, seed: 5, diagnostics: false });
  config.session.targets = ['q_proj', 'v_proj', 'down_proj'];
  Object.assign(config.data, { sequence_length: 96, validation: { count: 4 }, seed: 3 });
  const sweep = { ...defaultSweep(), validationEvery: 6 };
  sweep.values = { ...sweep.values, lr: '1e-3, 3e-3, 1e-2' };
  const basis: SweepBasis = {
    quantity: 'lr',
    model: { name: 'tiny', parameters: 1 },
    data: { name: 'chats.jsonl', bytes: 1, settings: config.data },
    session: config.session,
    start: null,
  };
  return { config, sweep, basis };
}

function scriptOf({ config, sweep, basis } = plan()): string {
  const points = wantedPoints(sweep, config.session.steps, config.session.rank);
  const elsewhere = { base: 'base', architecture: 'llama', data: { name: 'chats.jsonl' }, validation: null };
  return sweepScript({ config, sweep, basis, points, ...elsewhere });
}

function python(code: string): string {
  const answer = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
  expect(answer.stderr).toBe('');
  return answer.stdout;
}

/** What the script keeps where a first trial has diverged and the others have not, without training them. */
function keptByScript(script: string, path: string): void {
  const begin = script.indexOf('# What the page knows results by.');
  const end = script.indexOf('class DecoupledSGD');
  const settings = script.slice(begin, end);
  python(
    [
      'import json, pathlib, time',
      settings,
      resultsPython,
      `results = Results(pathlib.Path(${JSON.stringify(path)}))`,
      'for number, trial in enumerate(TRIALS):',
      '    diverged = 2 if number == 0 else None',
      '    losses = [3.0] if number == 0 else [3.0 - step / 100 for step in range(300)]',
      '    validation = {0: 3.5} if number == 0 else {0: 3.5, 300: 1.0 + number}',
      '    results.add(trial, {"losses": losses, "validation": validation, "diverged_at": diverged})',
    ].join('\n'),
  );
}

function books() {
  return { book: new SweepBook(new FakeShelf()), runs: new RunBook(new FakeShelf<RunRecord>()) };
}

const fileOf = (name: string, text: string) => new File([text], name);

describe('the script of a sweep', () => {
  it('is valid Python for every preset and everything that is varied', () => {
    for (const quantity of ['lr', 'rank', 'damping'] as const) {
      const { config, sweep, basis } = plan();
      const methods = PRESETS.map(({ id }) => id);
      const script = scriptOf({
        config,
        sweep: { ...sweep, quantity, methods, seeds: 2 },
        basis: { ...basis, quantity },
      });
      writeFileSync(join(folder, `${quantity}.py`), script);
      for (const mark of ['# TRAINING', '# SETTINGS', '# READING', '# DRAWS', '# RESULTS'])
        expect(script).not.toContain(`${mark}\n`);
    }
    const files = ['lr', 'rank', 'damping'].map((quantity) => join(folder, `${quantity}.py`));
    const compiled = spawnSync('python3', ['-W', 'error', '-m', 'py_compile', ...files], {
      encoding: 'utf8',
    });
    expect(compiled.stderr).toBe('');
  });

  it('has every trial with what is its own', () => {
    const { config, sweep, basis } = plan();
    const script = scriptOf({ config, sweep: { ...sweep, seeds: 2 }, basis });
    expect(script.match(/"optimizer": lambda model/g)).toHaveLength(12);
    expect(script).toContain('');
    expect(script).toContain('"repeat": 1,\n        "rank": 4, "lora": {"r": 4}, "seed": 6,');
    expect(script).toContain('VALIDATE_EVERY = 6');
    const ranks = scriptOf({
      config,
      sweep: { ...sweep, quantity: 'rank', values: { ...sweep.values, rank: '2, 8' } },
      basis: { ...basis, quantity: 'rank' },
    });
    expect(ranks).toContain('"rank": 8, "lora": {"r": 8}');
    const skipped = scriptOf({ config, sweep: { ...sweep, methods: ['muon'] }, basis });
    expect(skipped).toMatch(/"skipped": "PEFT has no Muon/);
  });

  it('keeps results that the page opens, each once', async () => {
    const path = join(folder, 'results.json');
    keptByScript(scriptOf(), path);
    const { book, runs } = books();
    const file = fileOf('results.json', readFileSync(path, 'utf8'));
    const opened = await openResults(file, book, runs);
    expect(opened.ok && opened.value.added).toBe(6);
    const { basis, sweep } = plan();
    const record = book.find(newRecord(basis).key);
    expect(record?.baseLoss).toBe(3.5);
    expect(record?.results.map(({ validationLoss }) => validationLoss)).toEqual([null, 2, 3, 4, 5, 6]);
    expect(record?.results[0]?.divergedAt).toBe(2);
    // Three hundred steps are more than the browser keeps of a curve.
    expect(record?.results[1]?.curve.steps.length).toBeLessThanOrEqual(240);
    expect(record?.results[1]?.curve.steps.at(-1)).toBe(300);
    expect(runs.runs.value).toHaveLength(6);
    const points = wantedPoints(sweep, 12, 4);
    expect(runs.runs.value.map(({ name }) => name).sort()).toEqual(
      points.map((point) => pointName(point, 'lr')).sort(),
    );
    expect(new Set(runs.runs.value.map(({ engine, origin }) => `${engine} ${origin}`))).toEqual(
      new Set(['peft sweep']),
    );
    const again = await openResults(file, book, runs);
    expect(again.ok && again.value.added).toBe(0);
    expect(runs.runs.value).toHaveLength(6);
  });

  it('goes on from what the page has saved', () => {
    const path = join(folder, 'saved.json');
    const { basis } = plan();
    const first = { method: 'adamw', value: 1e-3, lr: 1e-3, validationLoss: 2, divergedAt: null };
    const record: SweepRecord = {
      ...newRecord(basis),
      baseLoss: 3,
      results: [{ ...first, curve: { steps: [1], values: [2] }, validation: [] }],
    };
    writeFileSync(path, saveResults(record));
    const script = scriptOf();
    const settings = script.slice(
      script.indexOf('# What the page knows results by.'),
      script.indexOf('class DecoupledSGD'),
    );
    const code = [
      'import json, pathlib, time',
      settings,
      resultsPython,
      `results = Results(pathlib.Path(${JSON.stringify(path)}))`,
      'print(sum(results.finished(trial) for trial in TRIALS), len(TRIALS))',
    ].join('\n');
    expect(python(code).trim()).toBe('1 6');
    // Results of another sweep are left as they are.
    writeFileSync(path, saveResults({ ...record, key: 'another' }));
    const answer = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
    expect(answer.status).toBe(1);
    expect(answer.stderr).toContain('holds results of another sweep');
  });
});

describe('a file of results is refused', () => {
  const kept = join(folder, 'whole.json');
  beforeAll(() => keptByScript(scriptOf(), kept));
  const whole = () => JSON.parse(readFileSync(kept, 'utf8'));
  it.each([
    ['that is cut', 'is no JSON', (text: string) => text.slice(0, 99)],
    ['of something else', 'format', () => '{"format": "other"}'],
    ['of another version', 'version', (text: string) => text.replace('"version": 1', '"version": 2')],
    [
      'with a word for a loss',
      'runs.0.firstLoss',
      (text: string) => text.replace('"firstLoss": 3', '"firstLoss": "3"'),
    ],
    ['with a run that is none', 'cannot show', (text: string) => text.replaceAll('"id": ', '"no": ')],
  ])('%s', async (_, words, broken) => {
    const answer = await readResults(fileOf('results.json', broken(JSON.stringify(whole(), null, 1))));
    expect(answer.ok ? '' : answer.failure.message).toContain(words);
  });

  it('with a sweep that has no numbers, and nothing is taken', async () => {
    const { book, runs } = books();
    const content = whole();
    content.sweep.results[0].lr = null;
    const answer = await openResults(fileOf('results.json', JSON.stringify(content)), book, runs);
    expect(answer.ok ? '' : answer.failure.message).toContain('cannot show');
    expect(book.sweeps.value.length + runs.runs.value.length).toBe(0);
  });
});

// For scripts/check-ray: the plan as a script, and what the native program is told of it.
const wanted = process.env.GOLDEN_SCRIPTS;
it.runIf(wanted !== undefined)('the plan of six trials is written', () => {
  const { config, sweep } = plan();
  const points = wantedPoints(sweep, config.session.steps, config.session.rank);
  const runs = points.map((point) => ({ name: pointName(point, 'lr'), optimizer: point.optimizer }));
  writeFileSync(join(wanted ?? folder, 'sweep.py'), scriptOf());
  const settings = { session: { ...config.session, runs }, data: config.data };
  writeFileSync(join(wanted ?? folder, 'sweep.json'), JSON.stringify(settings));
});
