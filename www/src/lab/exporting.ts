import type { FolderFiles } from '../engine/engine-module';
import type { Reply } from '../engine/worker-api';
import type { MergedPlan, Precision, Progress } from '../protocol';
import { failed, type Result, success } from '../result';
import type { Trainee } from './training';

/** A zip without extensions, which everybody opens, holds no larger file. */
const MOST_ZIPPED = 2 ** 32 - 2 ** 20;

/** The worker that holds a run, and the run's place there. */
interface Place {
  trainee: Trainee;
  run: number;
}

/** Takes adapters out of the workers that trained them. */
export class Exporter {
  constructor(private readonly trainees: () => readonly Trainee[]) {}

  /** PEFT's two files; `base` is what they say of the base. */
  peft(run: number, base: string): Promise<Result<FolderFiles>> {
    return this.ask(run, ({ trainee, run: own }) => trainee.seat.call((api) => api.exportAdapter(own, base)));
  }

  /** A GGUF file for llama.cpp. */
  gguf(run: number, precision: Precision): Promise<Result<Uint8Array>> {
    return this.ask(run, ({ trainee, run: own }) =>
      trainee.seat.call((api) => api.exportGguf(own, precision)),
    );
  }

  /**
   * The base with the run merged into it. Weights come piece by piece to `onWeights`, so that no second copy of the
   * model is in the worker's memory; the answer is `config.json`. Aborting `signal` ends it.
   */
  async merged(
    run: number,
    precision: Precision,
    onWeights: (bytes: Uint8Array) => void,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Result<Uint8Array>> {
    const plan = await this.ask<MergedPlan>(run, ({ trainee, run: own }) =>
      trainee.seat.call((api) => api.mergedPlan(own, precision)),
    );
    if (!plan.ok) return plan;
    if (plan.value.bytes > MOST_ZIPPED) {
      return failed(
        'adapter',
        'The merged model is larger than the 4 GB that a zip holds. Choose F16 or BF16.',
      );
    }
    const start = await this.ask<FolderFiles>(run, ({ trainee, run: own }) =>
      trainee.seat.call((api) => api.mergedStart(own, precision)),
    );
    if (!start.ok) return start;
    onWeights(start.value.weights);
    let done = 0;
    for (let piece = 0; piece < plan.value.pieces; piece += 1) {
      if (signal.aborted) return failed('adapter', 'The export was cancelled.');
      const bytes = await this.ask<Uint8Array>(run, ({ trainee, run: own }) =>
        trainee.seat.call((api) => api.mergedPiece(own, precision, piece)),
      );
      if (!bytes.ok) return bytes;
      done += bytes.value.length;
      onWeights(bytes.value);
      onProgress({ action: 'Merging', done, total: plan.value.bytes });
    }
    return success(start.value.config);
  }

  private async ask<Value>(
    run: number,
    question: (place: Place) => Promise<Reply<Value>>,
  ): Promise<Result<Value>> {
    for (const trainee of this.trainees()) {
      const own = trainee.runs.indexOf(run);
      if (own >= 0) return question({ trainee, run: own });
    }
    return failed('adapter', 'This run is not in memory any more. Train it again to export it.');
  }
}
