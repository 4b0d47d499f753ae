import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from '@playwright/test';
import { quiet } from '../chromium';
import { defaultConfig } from '../src/config/defaults';
import type { SessionSettings } from '../src/protocol';
import { BenchPage, median } from './bench-page';
import { bundledData, moduleOf, sessionPlaces, settingsOf, smolLM2Files } from './session-bench';

/** What rows of different lengths cost; scripts/bench-padding says how it is called. */
const output = process.env.PADDING_OUTPUT ?? '';
/** A folder with the module of an earlier commit, in a folder of the engine's name. */
const before = process.env.PADDING_BEFORE ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const SCRIPT = '/session-worker.js';
/** Each batch is one that both modules train on. */
const STEPS = quick ? 2 : 8;

test.use({ launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: quiet } });

/** Lines that are read of each text. */
const LINES = 1200;

interface Text {
  /** As the figures call it. */
  name: string;
  file: string;
  data: string;
}

/** Those whose paths stand in the variable, each after its name, and what comes with the page. */
const texts: Text[] = [
  ...(JSON.parse(process.env.PADDING_DATA ?? '[]') as [string, string][]).map(([name, path]) => ({
    name,
    file: basename(path),
    data: readFileSync(path, 'utf8').split('\n').slice(0, LINES).join('\n'),
  })),
  { name: 'example', file: 'data.txt', data: bundledData(LINES) },
];

interface Step {
  value: { tokens: number };
  seconds: number;
}

test('rows of different lengths', async ({ page }) => {
  const figures: Record<string, number> = {};
  const cases: Record<string, unknown>[] = [];
  const bench = await BenchPage.open(page, { '/engines/before': before, ...sessionPlaces });
  const now = moduleOf('cpu');
  for (const { name, file, data } of texts) {
    for (const batch of [4, 8]) {
      const seconds: { before: number[]; now: number[] } = { before: [], now: [] };
      const tokens: { before: number[]; now: number[] } = { before: [], now: [] };
      const engines = { before: `before/${now}`, now };
      for (const which of ['before', 'now'] as const) {
        await bench.ask(which, SCRIPT, 'load', {
          engine: engines[which],
          files: smolLM2Files,
          data,
          dataName: file,
          dataSettings: { ...defaultConfig().data, sequence_length: 512, validation: 'none' },
        });
        const settings: SessionSettings = settingsOf(1, { batch_size: batch });
        await bench.ask(which, SCRIPT, 'configure', settings);
      }
      for (let step = 0; step < STEPS; step += 1) {
        // In turns, so that both have the same of what the machine does besides.
        for (const which of ['before', 'now'] as const) {
          const { value, seconds: taken } = await bench.ask<Step>(which, SCRIPT, 'step');
          // The first step of each makes what the others find.
          if (step === 0) continue;
          seconds[which].push(taken);
          tokens[which].push(value.tokens);
        }
      }
      await bench.endWorkers();
      const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
      const share = 1 - sum(tokens.now) / sum(tokens.before);
      const ratio = median(seconds.now.map((value, index) => value / (seconds.before[index] ?? 0)));
      cases.push({ name, batch, share, ratio, tokens, seconds });
      process.stdout.write(`${JSON.stringify({ name, batch, share, ratio })}\n`);
      if (batch === 8) {
        figures[`padded_share_${name}`] = share;
        figures[`step_time_ratio_${name}`] = ratio;
      }
    }
  }
  bench.end();
  if (output !== '') writeFileSync(output, JSON.stringify({ figures, cases }));
});
