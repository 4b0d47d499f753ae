import type { SamplePiece, SampleSettings } from '../protocol';
import { type Result, success } from '../result';
import type { Team } from './team';

/** Asks all workers to write at once; the base writes in the first one only. Aborting `signal` keeps what was written. */
export async function sampleAll(
  team: Team,
  settings: SampleSettings,
  onPiece: (piece: SamplePiece) => void,
  signal: AbortSignal,
): Promise<Result<null>> {
  const answers = await Promise.all(
    team.trainees.map((trainee, index) => {
      const own = { ...settings, include_base: settings.include_base && index === 0 };
      const tell = (piece: SamplePiece) =>
        onPiece({ ...piece, run: piece.run === null ? null : (trainee.runs[piece.run] ?? piece.run) });
      return team.ask(trainee, (worker) => worker.call((api) => api.sample(own, tell), { signal }), signal);
    }),
  );
  if (signal.aborted) return success(null);
  return answers.find((answer) => !answer.ok) ?? success(null);
}
