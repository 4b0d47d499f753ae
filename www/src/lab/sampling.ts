import type { Failure, SamplePiece, SampleSettings } from '../protocol';
import type { Result } from '../result';
import { success } from '../result';
import type { Trainee } from './training';

/** Asks all workers to write at once; the base writes in the first one only. */
export async function sampleAll(
  trainees: readonly Trainee[],
  settings: SampleSettings,
  onPiece: (piece: SamplePiece) => void,
  recover: (trainee: Trainee, failure: Failure) => Promise<boolean>,
): Promise<Result<null>> {
  const write = async (trainee: Trainee, index: number): Promise<Result<null>> => {
    const own = { ...settings, include_base: settings.include_base && index === 0 };
    const ask = () =>
      trainee.seat.call((api) =>
        api.sample(own, (piece) => {
          onPiece({ ...piece, run: piece.run === null ? null : (trainee.runs[piece.run] ?? piece.run) });
        }),
      );
    const answer = await ask();
    if (!answer.ok && answer.lost && (await recover(trainee, answer.failure))) return ask();
    return answer;
  };
  const answers = await Promise.all(trainees.map(write));
  return answers.find((answer) => !answer.ok) ?? success(null);
}
