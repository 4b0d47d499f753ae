import type { WidthBounds } from '../protocol';
import { measure, plural, setting } from '../words/numbers';
import type { SweepQuantity } from './config';
import type { SummedLine } from './lines';
import { quantityNames } from './quantity-names';
import type { SweptRun } from './record';
import type { SweepPhase, SweepProgress } from './sweep';

/** What became of one method at one value, with one seed or several. */
export function outcomeWords(runs: readonly SweptRun[]): { diverged: boolean; words: string } {
  const [only] = runs;
  if (only === undefined) return { diverged: false, words: '–' };
  const losses = runs.flatMap(({ validationLoss }) => validationLoss ?? []);
  const gone = runs.length - losses.length;
  if (gone === 0) {
    const mean = measure(losses.reduce((sum, loss) => sum + loss, 0) / losses.length);
    const range = `${measure(Math.min(...losses))} to ${measure(Math.max(...losses))}`;
    return {
      diverged: false,
      words: losses.length === 1 ? mean : `${mean} (${range}, ${losses.length} seeds)`,
    };
  }
  const at = only.divergedAt === null ? '' : ` at ${only.divergedAt}`;
  return {
    diverged: true,
    words: runs.length === 1 ? `diverged${at}` : `${gone} of ${runs.length} seeds diverged`,
  };
}

/** How a method did, in a sentence or two. */
export function sentenceOf({ name, runs, summary }: SummedLine, quantity: SweepQuantity): string {
  const { best_loss: loss, best_lr: at } = summary;
  if (loss === null || at === null) return `${name}: all ${plural(runs.length, 'run')} diverged.`;
  const best = `${name}: best validation loss ${measure(loss)} at ${quantityNames[quantity]} ${setting(at)}`;
  const own = `within 5 % of it over ${decades(summary.width_own)}`;
  const overall =
    summary.width_overall_decades > 0
      ? `within 5 % of the best of all over ${decades(summary.width_overall)}`
      : 'nowhere within 5 % of the best of all';
  const edge =
    summary.best_at_edge && runs.length > 1
      ? ' Its best is the first or last value, so a better one may lie outside.'
      : '';
  return `${best}; ${own}, ${overall}. ${endsOf(summary, runs.length)}${edge}`;
}

function endsOf({ diverged, worse_than_base: worse }: SummedLine['summary'], runs: number): string {
  const of = `of ${plural(runs, 'run')}`;
  if (diverged === 0 && worse === 0) return `None ${of} diverged.`;
  const parts = [
    diverged > 0 ? `${diverged} diverged` : '',
    worse > 0 ? `${worse} ended above the base` : '',
  ];
  return `${parts.filter(Boolean).join(' and ')} ${of}.`;
}

/** `0.5 to 1.0 decades`. */
function decades(bounds: WidthBounds): string {
  return `${widthWords(bounds)} decades`;
}

/** What the tried values prove of a width: `0.5 to 1.0`; `at least 0.5` where the grid ends within it. */
export function widthWords({ least, most }: WidthBounds): string {
  return most === null ? `at least ${least.toFixed(2)}` : `${least.toFixed(2)} to ${most.toFixed(2)}`;
}

/** What a sweep is doing. */
export function statusOf(phase: SweepPhase, { bank, banks }: SweepProgress, preparing: string): string {
  const which = banks > 1 ? ` bank ${bank} of ${banks}` : '';
  const words: Record<SweepPhase, string> = {
    idle: 'Ready.',
    planning: 'Finding out how many runs fit into memory.',
    preparing: `Preparing${which}${preparing === '' ? '' : `: ${preparing}`}.`,
    running: `Training${which}.`,
    pausing: 'Finishing this step.',
    paused: `Paused${which === '' ? '' : ` in${which}`}.`,
    finished: 'Finished.',
    stopped: 'Stopped. Runs that had finished are kept.',
    failed: 'The sweep ended early; see below. Runs that had finished are kept.',
  };
  return words[phase];
}
