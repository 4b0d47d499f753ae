import { settingsButLr } from '../../config/presets';
import type { ExperimentMetrics } from '../../metrics/experiment-metrics';
import { measure, plural, setting } from '../../words/numbers';
import { type Best, bestOf, lossOf } from './best';
import type { ComparedMethod } from './methods';

/** Losses nearer to each other than this share are called level: another seed moves them as far. */
const LEVEL = 0.01;
/** A learning rate serves a method where it ends within this share of the method's own best. */
const GOOD = 0.05;

/** A method without the preconditioner, and the same with it. */
interface Pair {
  plain: ComparedMethod;
  preconditioned: ComparedMethod;
}

/** Methods that differ in the preconditioner and in nothing else but rates. */
export function pairsOf(methods: readonly ComparedMethod[]): Pair[] {
  return methods.flatMap((preconditioned) => {
    if (preconditioned.optimizer.preconditioner === null) return [];
    const key = settingsButLr({ ...preconditioned.optimizer, preconditioner: null });
    const plain = methods.find(({ optimizer }) => settingsButLr(optimizer) === key);
    return plain === undefined ? [] : [{ plain, preconditioned }];
  });
}

/** What the numbers of now say about each pair of methods, as plainly where they are level. */
export function verdictsOf(methods: readonly ComparedMethod[], metrics: ExperimentMetrics): string[] {
  return pairsOf(methods).flatMap(({ plain, preconditioned }) => {
    const before = bestOf(plain, metrics);
    const after = bestOf(preconditioned, metrics);
    // Before the first step all are the base.
    const begun = (best: Best | null) => (metrics.runs[best?.index ?? -1]?.lastValidation?.step ?? 0) > 0;
    if (!begun(before) && !begun(after)) return [];
    const loss = lossWords(plain, preconditioned, before, after);
    return [[loss, rateWords([preconditioned, plain], metrics)].filter(Boolean).join(' ')];
  });
}

function lossWords(
  { name: plain, runs: plainRuns }: ComparedMethod,
  { name: preconditioned, runs: preconditionedRuns }: ComparedMethod,
  before: Best | null,
  after: Best | null,
): string {
  const several = plainRuns.length + preconditionedRuns.length > 2;
  const everywhere = several ? ' at every rate' : '';
  if (before === null) return `${plain} diverged${everywhere}, ${preconditioned} did not.`;
  if (after === null) return `${preconditioned} diverged${everywhere}, ${plain} did not.`;
  const best = several ? ', each at its best' : '';
  const numbers = `${at(after)} against ${at(before)}`;
  const share = after.loss / before.loss - 1;
  if (Math.abs(share) < LEVEL) return `${preconditioned} and ${plain} are level${best}: ${numbers}.`;
  const way = share < 0 ? 'lower' : 'higher';
  const apart = Math.abs(100 * share).toFixed(Math.abs(share) < 0.1 ? 1 : 0);
  return `${preconditioned} ends ${apart} % ${way} than ${plain}${best}: ${numbers}.`;
}

/** How many rates serve each. */
function rateWords(methods: readonly ComparedMethod[], metrics: ExperimentMetrics): string {
  const counts = methods.map((method) => {
    const best = bestOf(method, metrics);
    const limit = best === null ? Number.NEGATIVE_INFINITY : best.loss * (1 + GOOD);
    const good = method.runs.filter(({ index }) => {
      const loss = lossOf(metrics, index);
      return loss !== null && loss <= limit;
    });
    return { name: method.name, good: good.length, all: method.runs.length };
  });
  if (counts.some(({ all }) => all < 2)) return '';
  const words = counts.map(({ name, good, all }) => `${name} at ${good} of ${plural(all, 'rate')}`);
  return `Within ${100 * GOOD} % of its own best: ${words.join(', ')}.`;
}

function at({ loss, lr }: Best): string {
  return `${measure(loss)} at lr ${setting(lr)}`;
}
