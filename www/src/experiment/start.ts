import type { Config } from '../config/config';
import type { Problems } from '../config/problems';
import type { StartAdapter } from '../lab/lab';

/** What of the settings is not the adapter's that all runs start from. */
export function startProblems(session: Config['session'], start: StartAdapter | null): Problems {
  const problems: Problems = new Map();
  if (start === null) return problems;
  const wayOut = 'Choose that, or start from fresh adapters (section Adapters).';
  const tell = (field: string, words: string) =>
    problems.set(field, `All runs start from ${start.name}, which has ${words}. ${wayOut}`);
  if (session.rank !== start.rank) tell('rank', `rank ${start.rank}`);
  if (session.alpha !== start.alpha) tell('alpha', `alpha ${start.alpha}`);
  if (session.use_rslora !== start.use_rslora)
    tell('use_rslora', start.use_rslora ? 'the scale of rsLoRA' : 'the scale alpha / rank, without rsLoRA');
  const names = (targets: readonly string[]) => [...targets].sort().join(', ');
  if (names(session.targets) !== names(start.targets)) tell('targets', start.targets.join(', '));
  return problems;
}

/** Settings as the adapter has them. */
export function followStart(session: Config['session'], start: StartAdapter): void {
  session.rank = start.rank;
  session.alpha = start.alpha;
  session.use_rslora = start.use_rslora;
  session.targets = [...start.targets];
}
