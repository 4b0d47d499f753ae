import type { TokenLossReport, TokenLossSettings } from '../protocol';
import { failed, type Result, success } from '../result';
import type { Team } from './team';

/** Asks all workers at once; the base's losses come from the first one only. Lanes have the page's numbers of runs. */
export async function tokenLossesOfAll(
  team: Team,
  settings: TokenLossSettings,
): Promise<Result<TokenLossReport>> {
  const answers = await Promise.all(
    team.trainees.map((trainee, index) => {
      const own = { ...settings, include_base: settings.include_base && index === 0 };
      return team.ask(trainee, (worker) => worker.call((api) => api.tokenLosses(own)));
    }),
  );
  const lanes: TokenLossReport['lanes'] = [];
  let merged: TokenLossReport | undefined;
  for (const [index, answer] of answers.entries()) {
    if (!answer.ok) return answer;
    merged ??= answer.value;
    const runs = team.trainees[index]?.runs ?? [];
    for (const { run, losses } of answer.value.lanes) {
      lanes.push({ run: run === null ? null : (runs[run] ?? run), losses });
    }
  }
  if (merged === undefined) return failed('losses', 'There is no worker to ask. Load a model first.');
  // The base first, then the runs in the order of the page.
  lanes.sort((one, other) => (one.run ?? -1) - (other.run ?? -1));
  return success({ ...merged, lanes });
}
