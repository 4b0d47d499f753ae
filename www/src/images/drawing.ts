import type { DrawnPictures } from '../engine/engine-module';
import type { Reply } from '../engine/worker-api';
import type { Seat } from '../lab/seat';
import type { Trainee } from '../lab/training';
import type { DrawSettings, Failure, Progress } from '../protocol';
import { failed, type Result, success } from '../result';

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

/** Ends a drawing, and nothing else that the workers do. */
export class Cancellation {
  private cancelled = false;
  private readonly drawing = new Set<Seat>();

  cancel(): void {
    this.cancelled = true;
    for (const seat of this.drawing) seat.cancel();
  }

  /** Asks the worker to draw when it is its turn, unless that is not wanted any more. */
  draw(
    seat: Seat,
    settings: DrawSettings,
    onProgress: (progress: Progress) => void,
  ): Promise<Reply<DrawnPictures>> {
    return seat.call(async (api) => {
      if (this.cancelled) return { ...failed('draw', 'Drawing was cancelled.'), lost: false };
      this.drawing.add(seat);
      try {
        return await api.draw(settings, onProgress);
      } finally {
        this.drawing.delete(seat);
      }
    });
  }
}

/** Asks all workers to draw at once; the base draws in the first one only. The base comes first, then runs in the page's order. */
export async function drawAll(
  trainees: readonly Trainee[],
  settings: DrawSettings,
  onProgress: (progress: Progress) => void,
  cancellation: Cancellation,
  recover: (trainee: Trainee, failure: Failure) => Promise<boolean>,
): Promise<Result<Drawing[]>> {
  const parts = trainees.map(({ runs }, index) => ({
    ...settings,
    runs: runs.flatMap((run, own) => (settings.runs.includes(run) ? [own] : [])),
    include_base: settings.include_base && index === 0,
  }));
  // Workers have one step after the other done; the slowest says how far all are.
  const done = parts.map(({ runs, include_base }) => (runs.length > 0 || include_base ? 0 : settings.steps));
  const draw = async (trainee: Trainee, index: number): Promise<Reply<Drawing[]>> => {
    const part = parts[index];
    if (part === undefined || (part.runs.length === 0 && !part.include_base)) return { ok: true, value: [] };
    const ask = () =>
      cancellation.draw(trainee.seat, part, (progress) => {
        done[index] = progress.done;
        onProgress({ ...progress, done: Math.min(...done) });
      });
    let answer = await ask();
    if (!answer.ok && answer.lost && (await recover(trainee, answer.failure))) answer = await ask();
    return answer.ok ? { ok: true, value: drawingsOf(answer.value, trainee.runs) } : answer;
  };
  const answers = await Promise.all(trainees.map(draw));
  const all: Drawing[] = [];
  for (const answer of answers) {
    if (!answer.ok) return answer;
    all.push(...answer.value);
  }
  return success(all.sort((one, other) => (one.run ?? -1) - (other.run ?? -1)));
}
