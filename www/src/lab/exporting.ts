import type { FolderFiles } from '../engine/engine-module';
import type { Reply, WorkerApi } from '../engine/worker-api';
import type { MergedPlan, Precision, Progress } from '../protocol';
import { failed, type Result, success } from '../result';

/** Where trained runs can be asked for. */
export interface RunDesk {
  /** Asks the worker that has a run, with the run's place there. */
  ask<Value>(
    run: number,
    question: (api: WorkerApi, own: number) => Promise<Reply<Value>>,
    signal?: AbortSignal,
  ): Promise<Result<Value>>;
  /** Nothing more is asked for now. */
  close(): Promise<void>;
}

/** Takes adapters out of the workers that trained them. */
export class Exporter {
  constructor(private readonly desk: RunDesk) {}

  /** PEFT's two files; `base` is what they say of the base. */
  peft(run: number, base: string): Promise<Result<FolderFiles>> {
    return this.closing(this.desk.ask(run, (api, own) => api.exportAdapter(own, base)));
  }

  /** A GGUF file for llama.cpp. */
  gguf(run: number, precision: Precision): Promise<Result<Uint8Array>> {
    return this.closing(this.desk.ask(run, (api, own) => api.exportGguf(own, precision)));
  }

  /**
   * The base with the run merged into it. Weights come piece by piece to `onWeights`, which is waited for, so
   * that no second copy of the model is in memory; the answer is `config.json`. Aborting `signal` ends it.
   */
  merged(
    run: number,
    precision: Precision,
    onWeights: (bytes: Uint8Array) => Promise<void>,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Result<Uint8Array>> {
    return this.closing(this.merge(run, precision, onWeights, onProgress, signal));
  }

  private async merge(
    run: number,
    precision: Precision,
    onWeights: (bytes: Uint8Array) => Promise<void>,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Result<Uint8Array>> {
    const plan = await this.desk.ask<MergedPlan>(run, (api, own) => api.mergedPlan(own, precision), signal);
    if (!plan.ok) return plan;
    const start = await this.desk.ask<FolderFiles>(
      run,
      (api, own) => api.mergedStart(own, precision),
      signal,
    );
    if (!start.ok) return start;
    await onWeights(start.value.weights);
    let done = 0;
    for (let piece = 0; piece < plan.value.pieces; piece += 1) {
      if (signal.aborted) return failed('adapter', 'The export was cancelled.');
      const bytes = await this.desk.ask<Uint8Array>(
        run,
        (api, own) => api.mergedPiece(own, precision, piece),
        signal,
      );
      if (!bytes.ok) return bytes;
      done += bytes.value.length;
      await onWeights(bytes.value);
      onProgress({ action: 'Merging', done, total: plan.value.bytes });
    }
    return success(start.value.config);
  }

  private async closing<Value>(exported: Promise<Result<Value>>): Promise<Result<Value>> {
    try {
      return await exported;
    } finally {
      await this.desk.close();
    }
  }
}
