import type { Reply } from '../engine/worker-api';
import type { Failure, TokenLossReport, TokenLossSettings } from '../protocol';
import { failed, type Result, success } from '../result';
import type { Trainee } from './training';

/** Asks all workers at once; the base's losses come from the first one only. Lanes have the page's numbers of runs. */
export async function tokenLossesOfAll(
  trainees: readonly Trainee[],
  settings: TokenLossSettings,
  recover: (trainee: Trainee, failure: Failure) => Promise<boolean>,
): Promise<Result<TokenLossReport>> {
  const measure = async (trainee: Trainee, index: number): Promise<Reply<TokenLossReport>> => {
    const own = { ...settings, include_base: settings.include_base && index === 0 };
    const ask = () => trainee.seat.call((api) => api.tokenLosses(own));
    const answer = await ask();
    if (!answer.ok && answer.lost && (await recover(trainee, answer.failure))) return ask();
    return answer;
  };
  const answers = await Promise.all(trainees.map(measure));
  const lanes: TokenLossReport['lanes'] = [];
  let merged: TokenLossReport | undefined;
  for (const [index, answer] of answers.entries()) {
    if (!answer.ok) return answer;
    merged ??= answer.value;
    const runs = trainees[index]?.runs ?? [];
    for (const { run, losses } of answer.value.lanes) {
      lanes.push({ run: run === null ? null : (runs[run] ?? run), losses });
    }
  }
  if (merged === undefined) return failed('losses', 'There is no worker to ask. Load a model first.');
  // The base first, then the runs in the order of the page.
  lanes.sort((one, other) => (one.run ?? -1) - (other.run ?? -1));
  return success({ ...merged, lanes });
}
