import { writeFileSync } from 'node:fs';
import { expect, LabPage, test } from '../e2e/lab-test';

/** Workers, reloads and closed tabs at random moments of a training; `scripts/bench-kills` says how it is called. */
const output = process.env.KILLS_OUTPUT ?? '';
const kills = Number(process.env.KILLS ?? 1);
const seed = Number(process.env.KILL_SEED ?? 1);
/** A training is disturbed so often before it may end. */
const KILLS_A_TRAINING = 5;
const STEPS = 200;

/** Seeded numbers from 0 to 1. */
function numbers(from: number): () => number {
  let state = from;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const curves = async (lab: LabPage) => [await lab.losses(0), await lab.losses(1)];

async function prepare(lab: LabPage): Promise<void> {
  await lab.withoutSamples();
  await lab.prepare({ steps: STEPS, validate: 0 });
  await lab.set('dropout', '0.1');
  await lab.set('checkpoint_every', '5');
}

interface Found {
  kills: number;
  curves: number;
  curves_equal: number;
  trainings_lost: number;
}

test('trainings that are disturbed have the curve of an undisturbed one', async ({
  lab,
  context,
  origin,
}) => {
  const random = numbers(seed);
  await prepare(lab);
  const began = performance.now();
  await lab.start();
  await lab.finished();
  const most = performance.now() - began;
  const expected = await curves(lab);

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
  const disturbed: Record<string, (page: LabPage) => Promise<LabPage>> = {
    'page: worker': async (page) => {
      await page.crashWorker(random() < 0.5 ? 0 : 1);
      return page;
    },
    'page: reload': async (page) => {
      await page.page.reload();
      return page;
    },
    'page: closed tab': async (page) => {
      await page.page.close({ runBeforeUnload: false });
      const next = await context.newPage();
      await next.goto(`${origin}/?test-hooks`);
      return new LabPage(next, lab.wrong);
    },
  };
  const kinds: Record<string, Found> = {};
  let page = lab;
  for (const [kind, disturb] of Object.entries(disturbed)) {
    const found: Found = { kills: 0, curves: 0, curves_equal: 0, trainings_lost: 0 };
    kinds[kind] = found;
    while (found.kills < kills) {
      await page.start();
      for (let time = 0; time < KILLS_A_TRAINING && found.kills < kills; time += 1) {
        await page.page.waitForTimeout((random() * most) / 2);
        if ((await page.page.locator('#status').innerText()) === 'Finished.') break;
        page = await disturb(page);
        found.kills += 1;
        if (kind === 'page: worker' || (await goOn(page))) continue;
        // A training whose first checkpoint was not there yet begins again, with what the page has to be given.
        await prepare(page);
        await page.start();
      }
      try {
        await page.finished();
        found.curves += 1;
        if (JSON.stringify(await curves(page)) === JSON.stringify(expected)) found.curves_equal += 1;
      } catch {
        found.trainings_lost += 1;
        await prepare(page);
      }
    }
  }
  writeFileSync(output, JSON.stringify({ kinds }));
  for (const found of Object.values(kinds)) expect(found.curves_equal).toBe(found.curves);
});
