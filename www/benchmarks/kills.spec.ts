import { writeFileSync } from 'node:fs';
import { softwareWebgpu } from '../chromium';
import { expect, LabPage, test } from '../e2e/lab-test';

/** Workers, reloads, closed tabs and the browser's GPU process at random moments of a training; `scripts/bench-kills` says how it is called. */
const output = process.env.KILLS_OUTPUT ?? '';
const kills = Number(process.env.KILLS ?? 1);
const seed = Number(process.env.KILL_SEED ?? 1);
/** A training is disturbed so often before it may end. */
const KILLS_A_TRAINING = 5;
/** The software adapter computes a step in seconds, and a new device its kernels in tens of them. */
const ON_WEBGPU = { steps: 6, kills: Math.ceil(kills / 4) };
const ON_CPU = { steps: 200, kills };

/** Seeded numbers from 0 to 1. */
function numbers(from: number): () => number {
  let state = from;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const curves = async (lab: LabPage) => [await lab.losses(0), await lab.losses(1)];

async function prepare(lab: LabPage, steps: number): Promise<void> {
  await lab.withoutSamples();
  await lab.prepare({ steps, validate: 0 });
  await lab.set('dropout', '0.1');
  await lab.set('checkpoint_every', steps === ON_CPU.steps ? '5' : '1');
}

async function finished(lab: LabPage): Promise<void> {
  await expect(lab.page.locator('#status')).toHaveText('Finished.', { timeout: 600_000 });
  await lab.finished();
}

interface Found {
  kills: number;
  curves: number;
  curves_equal: number;
  trainings_lost: number;
}

interface Kind {
  /** On WebGPU its device is gone with the process. */
  engine: typeof ON_CPU;
  /** Whether the training goes on by itself. */
  goesOn: boolean;
  disturb(page: LabPage): Promise<LabPage>;
}

test.use({
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: softwareWebgpu },
});

test('trainings that are disturbed have the curve of an undisturbed one', async ({
  lab,
  browser,
  context,
  origin,
}) => {
  const random = numbers(seed);
  const disturbed: Record<string, Kind> = {
    'page: worker': {
      engine: ON_CPU,
      goesOn: true,
      disturb: async (page) => {
        await page.crashWorker(random() < 0.5 ? 0 : 1);
        return page;
      },
    },
    'page: reload': {
      engine: ON_CPU,
      goesOn: false,
      disturb: async (page) => {
        await page.page.reload();
        return page;
      },
    },
    'page: closed tab': {
      engine: ON_CPU,
      goesOn: false,
      disturb: async (page) => {
        await page.page.close({ runBeforeUnload: false });
        const next = await context.newPage();
        await next.goto(`${origin}/?test-hooks`);
        return new LabPage(next, lab.wrong);
      },
    },
    'page: GPU process': {
      engine: ON_WEBGPU,
      goesOn: true,
      disturb: async (page) => {
        await (await browser.newBrowserCDPSession()).send('Browser.crashGpuProcess');
        return page;
      },
    },
  };

  /** The training of before goes on in this page; false where nothing was kept yet, and it begins again. */
  const goOn = async (page: LabPage): Promise<boolean> => {
    await page.page.waitForFunction(() => window.testHooks !== undefined);
    const resume = page.page.locator('#resume-kept');
    const there = await resume.waitFor({ timeout: 10_000 }).then(
      () => true,
      () => false,
    );
    if (there) await page.begins(() => resume.click());
    return there;
  };
  const kinds: Record<string, Found> = {};
  let page = lab;
  let engine: Kind['engine'] | null = null;
  let [expected, most] = ['', 0];
  for (const [name, kind] of Object.entries(disturbed)) {
    const { steps, kills: all } = kind.engine;
    if (engine !== kind.engine) {
      engine = kind.engine;
      await prepare(page, steps);
      if (engine === ON_WEBGPU) {
        await page.page.locator('label[for=engine-webgpu]').click();
        await expect(page.button('start')).toBeEnabled({ timeout: 120_000 });
      }
      const began = performance.now();
      await page.start();
      await finished(page);
      most = performance.now() - began;
      expected = JSON.stringify(await curves(page));
    }
    const found: Found = { kills: 0, curves: 0, curves_equal: 0, trainings_lost: 0 };
    kinds[name] = found;
    while (found.kills < all) {
      await page.start();
      for (let time = 0; time < KILLS_A_TRAINING && found.kills < all; time += 1) {
        await page.page.waitForTimeout((random() * most) / 2);
        if ((await page.page.locator('#status').innerText()) === 'Finished.') break;
        page = await kind.disturb(page);
        found.kills += 1;
        if (kind.goesOn || (await goOn(page))) continue;
        // A training whose first checkpoint was not there yet begins again, with what the page has to be given.
        await prepare(page, steps);
        await page.start();
      }
      try {
        await finished(page);
        found.curves += 1;
        if (JSON.stringify(await curves(page)) === expected) found.curves_equal += 1;
      } catch {
        found.trainings_lost += 1;
        await prepare(page, steps);
      }
      process.stdout.write(`${name}: ${JSON.stringify(found)}\n`);
    }
  }
  writeFileSync(output, JSON.stringify({ kinds }));
  // Chromium reports a device that is gone as an error; here it is what was asked for.
  const lost = lab.wrong.splice(0).filter((message) => !message.includes('device was lost'));
  expect(lost).toEqual([]);
  for (const found of Object.values(kinds)) expect(found.curves_equal).toBe(found.curves);
});
