import type { Reply, WorkerApi } from '../src/engine/worker-api';
import type { WorkerLink } from '../src/lab/worker-link';
import type {
  DataSummary,
  Failure,
  ModelSummary,
  PictureModelSummary,
  RunDiagnostics,
  SessionSettings,
  StepReport,
  TheoryGeometry,
  TheoryMethod,
} from '../src/protocol';

const ok = <Value>(value: Value): Reply<Value> => ({ ok: true, value });
const seconds = { forward: 1, backward: 1, precondition: 0, update: 0, total: 2 };

/** A worker without wasm: the loss of a run at a step is a formula, so that a resumed curve can be compared. */
export class FakeWorker implements WorkerLink {
  static all: FakeWorker[] = [];
  readonly asked: string[] = [];
  readonly died: Promise<Failure>;
  /** Dies when asked for this step. */
  diesAt = 0;
  /** Settings this failure is given for. */
  refuses: Failure | null = null;
  terminated = false;
  settings: SessionSettings | null = null;
  private step = 0;
  private end: (failure: Failure) => void = () => {};

  constructor(edit: (worker: FakeWorker) => void = () => {}) {
    this.died = new Promise((resolve) => {
      this.end = resolve;
    });
    FakeWorker.all.push(this);
    edit(this);
  }

  terminate(message: string): void {
    this.terminated = true;
    this.end({ place: 'engine', field: null, message });
  }

  /** Never answers. */
  private die(): Promise<never> {
    this.end({ place: 'engine', field: null, message: 'out of memory' });
    return new Promise(() => {});
  }

  private take(): Reply<StepReport> {
    this.step += 1;
    const runs = (this.settings?.runs ?? []).map(({ optimizer }) => {
      const diverged = optimizer.lr > 100 && this.step > 2;
      const loss = diverged ? null : lossOf(optimizer.lr, this.step);
      const diagnostics = this.settings?.diagnostics && !diverged ? diagnosticsOf(this.step) : null;
      return { loss, grad_norm: 1, lr: optimizer.lr, diverged_at: diverged ? 3 : null, diagnostics };
    });
    return ok({ step: this.step, runs, tokens: 8, counted_tokens: 4, seconds, memory_bytes: 10 });
  }

  readonly api: WorkerApi = {
    start: async (engine) => {
      this.asked.push(`start ${engine}`);
      return ok({
        engine,
        description: 'fake',
        fallback_adapter: false,
        max_buffer_bytes: 0,
        products: null,
      });
    },
    loadModel: async (files, onProgress) => {
      this.asked.push(`model ${files.length}`);
      onProgress({ action: 'reading', done: 1, total: 1 });
      return ok({ name: 'fake' } as ModelSummary);
    },
    loadData: async (_data, name) => {
      this.asked.push(`data ${name}`);
      return ok({ preview: [], statistics: { validation_examples: 0 } } as unknown as DataSummary);
    },
    estimate: async (settings) => {
      const runs = settings.runs.length * 100;
      return ok({ base: 100, runs, activations: 0, total: 100 + runs, limit: 1000 });
    },
    configure: async (settings) => {
      if (this.refuses !== null) return { ok: false, failure: this.refuses, lost: false };
      this.settings = settings;
      this.step = 0;
      return ok(null);
    },
    step: async () => {
      await new Promise((resolve) => setTimeout(resolve));
      if (this.step + 1 === this.diesAt) return this.die();
      return this.take();
    },
    shard: async (shard, shards) => {
      await new Promise((resolve) => setTimeout(resolve));
      if (this.step + 1 === this.diesAt) return this.die();
      // What it adds to the step is the step's number, which all must agree on.
      return ok(new Float32Array([shard, shards, this.step]));
    },
    stepWithShards: async (shards) => {
      const expected = shards.map((_, index) => [index, shards.length, this.step]);
      if (JSON.stringify(shards.map((shard) => [...shard])) !== JSON.stringify(expected))
        throw new Error('these are not the shards of this step');
      return this.take();
    },
    theory: async (settings, onReport) => {
      this.asked.push(`theory ${settings.problem.data_condition}`);
      if (this.refuses !== null) return { ok: false, failure: this.refuses, lost: false };
      const reports = 3;
      for (let report = 0; report < reports; report += 1) {
        const done = report === reports - 1;
        const ends = { arrived_at: done ? report : null, diverged_at: null, recovery: 0.1, done };
        const method: TheoryMethod = 'gd';
        const errors = [1 / settings.problem.data_condition];
        const curves = [{ method, lr: 1, iterations: [report], errors, ...ends }];
        onReport({ geometry: {} as TheoryGeometry, rates_tried: 0, rates_in_all: 0, curves });
        await new Promise((resolve) => setTimeout(resolve));
      }
      return ok(null);
    },
    summariseSweep: async ({ methods }) => {
      this.asked.push(`summarise ${methods.length}`);
      return ok([]);
    },
    evaluate: async () =>
      ok({ step: this.step, losses: (this.settings?.runs ?? []).map(() => 1), seconds: 1 }),
    sample: async (settings, onPiece) => {
      const end = { tokens: 1, done: true };
      if (settings.include_base) onPiece({ run: null, text: 'base', ...end });
      for (const run of (this.settings?.runs ?? []).keys()) onPiece({ run, text: `run ${run}`, ...end });
      return ok(null);
    },
    tokenLosses: async ({ text, include_base: base }) => {
      const tokens = [...(text ?? 'held out')].map((letter, index) => ({ text: letter, counts: index > 0 }));
      const losses = (run: number | null) => tokens.map((_, index) => (index === 0 ? null : (run ?? 9)));
      const runs = (this.settings?.runs ?? []).map(({ optimizer }) => optimizer.lr);
      const lanes = runs.map((lr, run) => ({ run, losses: losses(lr) }));
      const all = base ? [...lanes, { run: null, losses: losses(null) }] : lanes;
      return ok({ tokens, left_out: 0, lanes: all });
    },
    checkpoint: async () => ok(new Uint8Array([this.step])),
    restore: async (bytes) => {
      this.asked.push(`restore ${bytes[0]}`);
      this.step = bytes[0] ?? 0;
      return ok(null);
    },
    startFrom: async (start) => {
      this.asked.push(`start from ${start?.name ?? 'fresh'}`);
      if (this.refuses !== null) return { ok: false, failure: this.refuses, lost: false };
      return ok(start && { rank: 4, alpha: 8, targets: ['q_proj'], base: 'tiny' });
    },
    exportAdapter: async (run, base) => {
      this.asked.push(`export ${run} of ${base}`);
      return ok({ config: new Uint8Array([1]), weights: new Uint8Array([2]) });
    },
    exportGguf: async (_run, precision) => ok(new Uint8Array(precision === 'f32' ? 4 : 2)),
    mergedPlan: async () => ok({ pieces: 3, bytes: 6 }),
    mergedStart: async () => ok({ config: new Uint8Array([1]), weights: new Uint8Array([0]) }),
    mergedPiece: async (_run, _precision, piece) => ok(new Uint8Array([piece, piece])),
    loadPictureModel: async (files, onProgress) => {
      this.asked.push(`picture model ${files.length}`);
      onProgress({ action: 'reading', done: 1, total: 1 });
      return ok({ name: 'fake', image_size: 2 } as PictureModelSummary);
    },
    loadPictures: async (captions, pixels, validation) => {
      this.asked.push(`pictures ${captions.join()} of ${pixels.length} bytes`);
      return ok({ train: captions.length - validation, validation, captions: [], alike: [] });
    },
    draw: async ({ captions, steps, runs, include_base }, onProgress) => {
      this.asked.push(`draw ${runs.join()}`);
      for (let step = 1; step <= steps; step += 1)
        onProgress({ action: 'drawing', done: step, total: steps });
      const lanes = include_base ? [null, ...runs] : runs;
      const grey = (run: number | null) => (run === null ? 9 : (this.settings?.runs[run]?.optimizer.lr ?? 0));
      const pixels = lanes.flatMap((run) => captions.flatMap((_, index) => Array(4).fill(grey(run) + index)));
      return ok({ runs: lanes, size: 1, pixels: new Uint8Array(pixels) });
    },
    startFromPictures: async (weights) => {
      this.asked.push(`start from ${weights?.length ?? 'fresh'}`);
      if (this.refuses !== null) return { ok: false, failure: this.refuses, lost: false };
      return ok(weights && { rank: 4, alpha: 4, targets: ['q_proj'], base: 'icons' });
    },
    exportPictures: async (run) => {
      this.asked.push(`export pictures ${run}`);
      return ok(new Uint8Array([run]));
    },
    loseDevice: async () => {},
    cancel: async () => {},
  };
}

/** The fake's loss. */
export function lossOf(lr: number, step: number): number {
  return 3 / (1 + lr * step);
}

/** The fake's norms and condition numbers; that of BᵀB is not finite at the first step. */
export function diagnosticsOf(step: number): RunDiagnostics {
  return {
    norm_a: 4,
    norm_b: step - 1,
    norm_delta: 2 * (step - 1),
    condition_a: step === 1 ? null : 10 ** step,
    condition_b: 3,
    update_ratio: 1 / (1000 * step),
  };
}
