import { writeFileSync } from 'node:fs';
import { test } from '@playwright/test';
import { benchedWebgpu } from '../chromium';
import { defaultConfig } from '../src/config/defaults';
import { BenchPage, median } from './bench-page';
import { bundledData, moduleOf, sessionPlaces, settingsOf, smolLM2Files, tinyFiles } from './session-bench';

/** K runs in one bank against K trainings, on one core or one adapter; `scripts/bench bank` says how it is called. */
const output = process.env.BANK_OUTPUT ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const SCRIPT = '/session-worker.js';

test.use({
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: benchedWebgpu },
});

interface Plan {
  files: string[][];
  runs: number[];
  rounds: number;
  batch: number;
}

const plans: Record<'cpu' | 'webgpu', Plan> = {
  cpu: {
    files: quick ? tinyFiles : smolLM2Files,
    runs: quick ? [1, 8] : [1, 2, 4, 8, 16],
    rounds: quick ? 2 : 3,
    batch: 1,
  },
  // The software adapter takes 10 to 20 ms a dispatch, so that what is compared there is little but their number.
  webgpu: { files: tinyFiles, runs: quick ? [1, 8] : [1, 2, 8], rounds: quick ? 1 : 2, batch: 1 },
};

test('a bank of runs against as many trainings', async ({ page }) => {
  const bench = await BenchPage.open(page, sessionPlaces);
  const config = defaultConfig();
  const figures: Record<string, number> = {};
  const measured: Record<string, number | string>[] = [];
  for (const [engine, plan] of Object.entries(plans)) {
    for (const runs of plan.runs) {
      const make = async (name: string, count: number) => {
        await bench.ask(name, SCRIPT, 'load', {
          engine: moduleOf(engine),
          files: plan.files,
          data: bundledData(200),
          dataSettings: { ...config.data, validation: { count: 1 } },
        });
        const loaded = await bench.ask<{ heap: number; gpu: number }>(name, SCRIPT, 'bytes');
        await bench.ask(name, SCRIPT, 'configure', settingsOf(count, { batch_size: plan.batch }));
        return loaded;
      };
      const base = await make('bank', runs);
      await make('single', 1);
      const step = async (name: string) =>
        (await bench.ask<{ seconds: number }>(name, SCRIPT, 'step')).seconds;
      const ratios: number[] = [];
      const [together, alone]: [number[], number[]] = [[], []];
      for (let round = 0; round <= plan.rounds; round += 1) {
        const bank = await step('bank');
        const single = await step('single');
        if (round === 0) continue;
        together.push(bank);
        alone.push(single);
        ratios.push(bank / (runs * single));
      }
      const bytes = await bench.ask<{ heap: number; gpu: number }>('bank', SCRIPT, 'bytes');
      const one = await bench.ask<{ heap: number; gpu: number }>('single', SCRIPT, 'bytes');
      const whole = (held: { heap: number; gpu: number }) => held.heap + held.gpu;
      const found = {
        engine,
        runs,
        rounds: plan.rounds,
        seconds_bank: median(together),
        seconds_single: median(alone),
        over_separate: median(ratios),
        bytes_after_loading: whole(base),
        bytes_bank: whole(bytes),
        bytes_separate: runs * whole(one),
      };
      process.stdout.write(`${JSON.stringify(found)}\n`);
      measured.push(found);
      if (runs === 8) {
        figures[`${engine}_k8_over_8_separate`] = found.over_separate;
        figures[`${engine}_k8_bytes_over_8_separate`] = found.bytes_bank / found.bytes_separate;
      }
      await bench.endWorkers();
    }
  }
  bench.end();
  if (output !== '') writeFileSync(output, JSON.stringify({ figures, measured }));
});
