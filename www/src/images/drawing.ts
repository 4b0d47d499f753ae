import type { DrawnPictures } from '../engine/engine-module';
import type { Team } from '../lab/team';
import type { Trainee } from '../lab/trainee';
import type { DrawSettings, Progress } from '../protocol';
import { type Result, success } from '../result';

/** What the base or one run drew. */
export interface Drawing {
  /** Index of the run; the base is null. */
  run: number | null;
  /** Width and height of each picture. */
  size: number;
  /** RGBA of each picture, as `ImageData` takes it. */
  pictures: Uint8ClampedArray<ArrayBuffer>[];
}

/** Cuts a worker's answer into drawings. `runs` are the page's numbers of the worker's runs. */
export function drawingsOf({ runs, size, pixels }: DrawnPictures, own: readonly number[]): Drawing[] {
  const bytes = size * size * 4;
  const each = runs.length === 0 ? 0 : pixels.length / runs.length;
  return runs.map((run, lane) => {
    const pictures = Array.from({ length: each / bytes }, (_, index) => {
      const start = lane * each + index * bytes;
      return new Uint8ClampedArray(pixels.slice(start, start + bytes).buffer);
    });
    return { run: run === null ? null : (own[run] ?? run), size, pictures };
  });
}

/** Asks all workers to draw at once; the base draws in the first one only. The base comes first, then runs in the page's order. */
export async function drawAll(
  team: Team,
  settings: DrawSettings,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<Drawing[]>> {
  const parts = team.trainees.map(({ runs }, index) => ({
    ...settings,
    runs: runs.flatMap((run, own) => (settings.runs.includes(run) ? [own] : [])),
    include_base: settings.include_base && index === 0,
  }));
  // Workers have one step after the other done; the slowest says how far all are.
  const done = parts.map(({ runs, include_base }) => (runs.length > 0 || include_base ? 0 : settings.steps));
  const draw = async (trainee: Trainee, index: number): Promise<Result<Drawing[]>> => {
    const part = parts[index];
    if (part === undefined || (part.runs.length === 0 && !part.include_base)) return success([]);
    const tell = (progress: Progress) => {
      done[index] = progress.done;
      onProgress({ ...progress, done: Math.min(...done) });
    };
    const answer = await team.ask(
      trainee,
      (worker) => worker.call((api) => api.draw(part, tell), { signal }),
      signal,
    );
    return answer.ok ? success(drawingsOf(answer.value, trainee.runs)) : answer;
  };
  const answers = await Promise.all(team.trainees.map(draw));
  const all: Drawing[] = [];
  for (const answer of answers) {
    if (!answer.ok) return answer;
    all.push(...answer.value);
  }
  return success(all.sort((one, other) => (one.run ?? -1) - (other.run ?? -1)));
}
