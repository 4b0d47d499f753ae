import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClaimFigures, PairFigures, PictureFigures, WidthFigures } from '../src/claims/figures';

const results = join(import.meta.dirname, '../../benchmarks/results');

interface SweepRun {
  method: string;
  lr: number;
  seed: number;
  validation_loss: number | null;
}

function read<Figures>(name: string): Figures {
  return JSON.parse(readFileSync(join(results, `${name}.json`), 'utf8')) as Figures;
}

/** What the page's claims are judged by, out of the result files. */
export function figuresOf(): ClaimFigures {
  const { runs } = read<{ runs: SweepRun[] }>('study-first-minute');
  const overhead = read<{ figures: Record<string, number> }>('overhead').figures;
  type Iterations = Record<string, Record<string, number | null>>;
  const theory = read<{ figures: Record<'gd_iterations' | 'scaled_gd_iterations', Iterations> }>(
    'theory',
  ).figures;
  const width = read<{ figures: Record<string, { exponents_of_width: { lr_a: number } }> }>('width').figures;
  const exponent = (name: string) => width[name]?.exponents_of_width.lr_a ?? Number.NaN;
  return {
    study: studyOf(),
    firstMinute: [pairOf(runs, 'SGD', 'scaled GD'), pairOf(runs, 'AdamW', 'scaled AdamW')],
    pictures: picturesOf(),
    overhead: Object.fromEntries(
      ['4', '8', '16', '64'].map((rank) => [rank, overhead[`step_time_ratio_r${rank}`] ?? Number.NaN]),
    ),
    theory: {
      change: {
        gd: theory.gd_iterations.planted_condition ?? {},
        scaled: theory.scaled_gd_iterations.planted_condition ?? {},
      },
      data: { scaled: theory.scaled_gd_iterations.data_condition ?? {} },
    },
    width: {
      adam: exponent('adam'),
      gradientScaled: exponent('scaled_adam'),
      updateScaled: exponent('scaled_adam_update'),
    },
  };
}

function studyOf(): ClaimFigures['study'] {
  if (!existsSync(join(results, 'study.json'))) return null;
  type Verdicts = { verdict_better: never; verdict_robust: never };
  const study = read<{ figures: Record<string, Verdicts> }>('study').figures;
  const pairs = Object.entries(study).flatMap(([name, { verdict_better: better, verdict_robust: robust }]) =>
    better === undefined ? [] : [[name, { better, robust }] as const],
  );
  return { pairs: Object.fromEntries(pairs) };
}

/** Both at the rate of the lowest mean over seeds; the difference is paired by seed. */
function pairOf(runs: readonly SweepRun[], plain: string, preconditioned: string): PairFigures {
  const before = bestOf(runs, plain);
  const after = bestOf(runs, preconditioned);
  const differences = before.bySeed.map((loss, seed) => (after.bySeed[seed] ?? Number.NaN) - loss);
  const difference = mean(differences);
  const variance =
    differences.reduce((sum, one) => sum + (one - difference) ** 2, 0) / (differences.length - 1);
  // Student's t at 97.5 % with as many degrees of freedom as there are seeds less one.
  const quantile = { 2: 12.706, 3: 4.3027, 4: 3.1824, 5: 2.7764 }[differences.length] ?? Number.NaN;
  const half = quantile * Math.sqrt(variance / differences.length);
  return {
    plain,
    preconditioned,
    plainLoss: digits(before.loss),
    preconditionedLoss: digits(after.loss),
    difference: digits(difference),
    low: digits(difference - half),
    high: digits(difference + half),
    seeds: differences.length,
    plainWidth: before.width,
    preconditionedWidth: after.width,
  };
}

function bestOf(runs: readonly SweepRun[], method: string) {
  const own = runs.filter((run) => run.method === method);
  const lrs = [...new Set(own.map(({ lr }) => lr))].sort((one, other) => one - other);
  const seeds = [...new Set(own.map(({ seed }) => seed))].sort((one, other) => one - other);
  const losses = lrs.map((lr) => {
    const bySeed = seeds.map(
      (seed) =>
        own.find((run) => run.lr === lr && run.seed === seed)?.validation_loss ?? Number.POSITIVE_INFINITY,
    );
    return { lr, bySeed, loss: mean(bySeed) };
  });
  const best = losses.reduce((one, other) => (other.loss < one.loss ? other : one));
  return { ...best, width: widthOf(losses, losses.indexOf(best), 1.05 * best.loss) };
}

function widthOf(losses: readonly { lr: number; loss: number }[], best: number, limit: number): WidthFigures {
  let [first, last] = [best, best];
  while (first > 0 && (losses[first - 1]?.loss ?? limit + 1) <= limit) first -= 1;
  while (last + 1 < losses.length && (losses[last + 1]?.loss ?? limit + 1) <= limit) last += 1;
  const decades = (from: number, to: number) =>
    digits(Math.log10((losses[to]?.lr ?? Number.NaN) / (losses[from]?.lr ?? Number.NaN)), 2);
  const open = first === 0 || last + 1 === losses.length;
  return { least: decades(first, last), most: open ? null : decades(first - 1, last + 1) };
}

function picturesOf(): PictureFigures[] {
  type Concept = 'subject' | 'style';
  const { runs } = read<{
    figures: { runs: { method: string; lr: number; validation_loss: Record<Concept, number> }[] };
  }>('images').figures;
  const best = (method: string, concept: Concept) => {
    const losses = runs.filter((run) => run.method === method).map((run) => run.validation_loss[concept]);
    const lowest = Math.min(...losses);
    return { loss: lowest, rates: losses.filter((loss) => loss <= 1.05 * lowest).length };
  };
  return (['subject', 'style'] as const).flatMap((concept) =>
    [
      ['SGD', 'scaled GD', 'sgd', 'scaled-gd'],
      ['AdamW', 'scaled AdamW', 'adamw', 'scaled-adamw'],
    ].map(([plain = '', preconditioned = '', one = '', other = '']): PictureFigures => {
      const [before, after] = [best(one, concept), best(other, concept)];
      return {
        concept,
        plain,
        preconditioned,
        plainLoss: digits(before.loss),
        preconditionedLoss: digits(after.loss),
        plainRates: before.rates,
        preconditionedRates: after.rates,
      };
    }),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function digits(value: number, places = 4): number {
  return Number(value.toFixed(places));
}
