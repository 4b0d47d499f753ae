import type { Reply, WorkerApi } from '../src/engine/worker-api';
import type { WorkerLink } from '../src/lab/worker-link';
import type {
  DataSummary,
  Failure,
  LayerDiagnostics,
  ModelSummary,
  PictureModelSummary,
  Progress,
  RunDiagnostics,
  SessionSettings,
  StepReport,
  TheoryGeometry,
  TheoryMethod,
} from '../src/protocol';

const seconds = { forward: 1, backward: 1, precondition: 0, update: 0, total: 2 };
const macrotask = () => new Promise<void>((resolve) => setTimeout(resolve));
const forever = () => new Promise<never>(() => {});
const reporting: ReadonlySet<keyof WorkerApi> = new Set([
  'loadModel',
  'loadData',
  'loadPictureModel',
  'evaluate',
]);
const matched = { use_rslora: false, tensors: 4, layers: 2, of_layers: 2, notices: [] };
const refusal = (place: string, message: string): Failure => ({ place, field: null, message });

/** What a lost GPU says to every question. */
export const DEVICE_LOST =
  'the WebGPU device was lost: Destroyed Device was destroyed.; training can resume from the last checkpoint';

/** How a question ends that the fake was told to spoil. */
export type Spoiled = 'dies' | 'refuses' | 'hangs';

/**
 * A worker without wasm that fails as the real one does: it knows nothing before it was given it, it answers one question
 * at a time, what is cancelled ends at its next report, and a lost one stays lost. The loss of a run at a step is a
 * formula, so that a resumed curve can be compared.
 */
export class FakeWorker implements WorkerLink {
  static all: FakeWorker[] = [];
  readonly asked: string[] = [];
  readonly died: Promise<Failure>;
  /** Dies when asked for this step. */
  diesAt = 0;
  /** Dies when asked to draw at this step; null draws. */
  diesDrawingAt: number | null = null;
  /** Questions that go wrong, the first time that they are asked. */
  readonly spoils = new Map<keyof WorkerApi, Spoiled>();
  /** Questions that are answered only when `let` is called with their name; those that report are held after the first report. */
  readonly holds = new Set<keyof WorkerApi>();
  /** Settings this failure is given for. */
  refuses: Failure | null = null;
  terminated = false;
  settings: SessionSettings | null = null;
  validationExamples = 0;
  /** Tokens of each example of its data. */
  lengths: readonly number[] = [];
  contextLength = 2048;
  private engine = '';
  private model: 'texts' | 'pictures' | null = null;
  private hasData = false;
  private training = false;
  private step = 0;
  private dead = false;
  private deviceLost = false;
  private busy = false;
  private current: keyof WorkerApi | null = null;
  /** Counts questions, so that a cancellation can name the one that it means. */
  private question = 0;
  private cancelled = false;
  private readonly held = new Map<keyof WorkerApi, () => void>();
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
    this.dead = true;
    this.end({ place: 'engine', field: null, message });
  }

  /** Ends as the browser ends a worker that has no memory left. */
  crash(): void {
    this.dead = true;
    this.end(refusal('engine', 'out of memory'));
  }

  /** Nothing that was to go wrong goes wrong any more; what is lost stays lost. */
  calm(): void {
    this.diesAt = 0;
    this.diesDrawingAt = null;
    this.spoils.clear();
  }

  /** Answers a question that is held, and holds it no more. */
  let(name: keyof WorkerApi): void {
    this.holds.delete(name);
    this.held.get(name)?.();
    this.held.delete(name);
  }

  /** Whether it is at this question now, and keeps the answer back. */
  isHeldAt(name: keyof WorkerApi): boolean {
    return this.held.has(name);
  }

  private async answer<Value>(
    name: keyof WorkerApi,
    action: () => Value | Promise<Value>,
  ): Promise<Reply<Value>> {
    if (this.dead) return forever();
    if (this.busy) return this.trap('recursive use of an object detected');
    this.busy = true;
    this.current = name;
    this.question += 1;
    this.cancelled = false;
    await macrotask();
    if (!reporting.has(name)) await this.hold(name);
    const spoiled = this.spoils.get(name);
    this.spoils.delete(name);
    if (spoiled === 'hangs') return forever();
    if (spoiled === 'dies') this.crash();
    if (this.dead) return forever();
    try {
      if (this.deviceLost) throw refusal('engine', DEVICE_LOST);
      if (spoiled === 'refuses') throw refusal('run', `${name} is refused`);
      const value = await action();
      if (this.dead) return await forever();
      return { ok: true, value };
    } catch (thrown) {
      const failure = thrown as Failure;
      return { ok: false, failure, lost: failure.place === 'engine' };
    } finally {
      this.busy = false;
    }
  }

  private async hold(name: keyof WorkerApi): Promise<void> {
    if (this.holds.has(name)) await new Promise<void>((resolve) => this.held.set(name, resolve));
  }

  /** A panic of the module: it never recovers. */
  private trap(words: string): Reply<never> {
    this.deviceLost = true;
    return { ok: false, failure: refusal('engine', `The engine stopped: ${words}`), lost: true };
  }

  /** Tells how far it is, and goes on unless that was cancelled. */
  private async tell(
    onProgress: (progress: Progress) => unknown,
    progress: Progress,
    cancelled: Failure,
  ): Promise<void> {
    await macrotask();
    if (this.dead) return forever();
    onProgress(progress);
    if (this.current !== null) await this.hold(this.current);
    await macrotask();
    if (this.dead) return forever();
    if (this.cancelled) throw cancelled;
  }

  private needsEngine(): void {
    if (this.engine === '') throw refusal('engine', 'The engine has not started.');
  }

  private needs(kind: 'texts' | 'pictures' | 'any' = 'any'): void {
    if (this.model === null || (kind !== 'any' && this.model !== kind))
      throw refusal('model', 'No model is loaded. Load one first.');
  }

  private needsSession(): void {
    this.needs();
    if (!this.training) throw refusal('run', 'no session is configured; press Start first');
  }

  private needsTrained(): void {
    this.needs();
    if (!this.training) throw refusal('adapter', 'there is no trained run yet; press Start first');
  }

  private close(): void {
    this.model = null;
    this.hasData = false;
    this.training = false;
    this.step = 0;
  }

  private take(): StepReport {
    this.step += 1;
    const runs = (this.settings?.runs ?? []).map(({ optimizer }) => {
      const diverged = optimizer.lr > 100 && this.step > 2;
      const loss = diverged ? null : lossOf(optimizer.lr, this.step);
      const diagnostics = this.settings?.diagnostics && !diverged ? diagnosticsOf(this.step) : null;
      return { loss, grad_norm: 1, lr: optimizer.lr, diverged_at: diverged ? 3 : null, diagnostics };
    });
    return { step: this.step, runs, tokens: 8, counted_tokens: 4, seconds, memory_bytes: 10 };
  }

  private get lanes(): number[] {
    return this.training ? [...(this.settings?.runs ?? []).keys()] : [];
  }

  readonly api: WorkerApi = {
    start: (engine) =>
      this.answer('start', () => {
        this.asked.push(`start ${engine}`);
        if (this.engine === 'webgpu')
          throw refusal('engine', 'The engine stopped: A server is still registered');
        if (this.refuses?.place === 'engine') throw this.refuses;
        this.engine = engine;
        return {
          engine,
          description: 'fake',
          fallback_adapter: false,
          max_buffer_bytes: 0,
          products: null,
        };
      }),
    loadModel: (files, onProgress) =>
      this.answer('loadModel', async () => {
        this.needsEngine();
        this.asked.push(`model ${files.length}`);
        this.close();
        const cancelled = refusal('model', 'loading was cancelled');
        await this.tell(onProgress, { action: 'reading', done: 1, total: 2 }, cancelled);
        await this.tell(onProgress, { action: 'reading', done: 2, total: 2 }, cancelled);
        this.model = 'texts';
        return { name: files[0]?.name ?? 'fake', context_length: this.contextLength } as ModelSummary;
      }),
    loadData: ({ name }, validation, { sequence_length: length }, onProgress) =>
      this.answer('loadData', async () => {
        this.needs('texts');
        this.asked.push(`data ${name}${validation === null ? '' : ` and ${validation.name}`}`);
        const cancelled = refusal('data', 'loading was cancelled');
        await this.tell(onProgress, { action: 'tokenising', done: 1, total: 1 }, cancelled);
        this.hasData = true;
        this.training = false;
        const statistics = {
          train_examples: this.lengths.length,
          validation_examples: this.validationExamples,
          truncated: this.lengths.filter((tokens) => tokens > length).length,
          dropped: 0,
          longest: Math.max(0, ...this.lengths),
          length_95: Math.max(0, ...this.lengths),
          skipped: { counts: [], first: [] },
        };
        return { preview: [], statistics } as unknown as DataSummary;
      }),
    estimate: (settings) =>
      this.answer('estimate', () => {
        this.needs();
        const runs = settings.runs.length * 100;
        return { base: 100, texts: 0, runs, activations: 0, total: 100 + runs, limit: 1000 };
      }),
    configure: (settings) =>
      this.answer('configure', () => {
        this.needs();
        if (this.refuses !== null) throw this.refuses;
        if (!this.hasData) throw refusal('data', 'no data is loaded; choose some first');
        this.settings = settings;
        this.training = true;
        this.step = 0;
        return null;
      }),
    step: () =>
      this.answer('step', () => {
        this.needsSession();
        if (this.step + 1 === this.diesAt) this.crash();
        return this.take();
      }),
    shard: (shard, shards) =>
      this.answer('shard', () => {
        this.needsSession();
        if (this.step + 1 === this.diesAt) this.crash();
        // What it adds to the step is the step's number, which all must agree on.
        return new Float32Array([shard, shards, this.step]);
      }),
    stepWithShards: (shards) =>
      this.answer('stepWithShards', () => {
        this.needsSession();
        const expected = shards.map((_, index) => [index, shards.length, this.step]);
        if (JSON.stringify(shards.map((shard) => [...shard])) !== JSON.stringify(expected))
          throw refusal('run', 'these are not the shards of this step');
        return this.take();
      }),
    theory: (settings, onReport) =>
      this.answer('theory', async () => {
        this.needsEngine();
        this.asked.push(`theory ${settings.problem.data_condition}`);
        if (this.refuses !== null) throw this.refuses;
        const reports = 3;
        for (let report = 0; report < reports && !this.cancelled; report += 1) {
          const done = report === reports - 1;
          const arrived_at = done ? report : null;
          const ends = { arrived_at, diverged_at: null, recovery: 0.1, departure: 0, done };
          const method: TheoryMethod = 'gd';
          const errors = [1 / settings.problem.data_condition];
          const curves = [{ method, lr: 1, iterations: [report], errors, ...ends }];
          onReport({ geometry: {} as TheoryGeometry, rates_tried: 0, rates_in_all: 0, curves });
          await macrotask();
        }
        return null;
      }),
    summariseSweep: ({ methods }) =>
      this.answer('summariseSweep', () => {
        this.needsEngine();
        this.asked.push(`summarise ${methods.length}`);
        return [];
      }),
    evaluate: (onProgress) =>
      this.answer('evaluate', async () => {
        this.needsSession();
        const cancelled = refusal('run', 'the evaluation was cancelled');
        await this.tell(onProgress, { action: 'measuring', done: 1, total: 2 }, cancelled);
        await this.tell(onProgress, { action: 'measuring', done: 2, total: 2 }, cancelled);
        return { step: this.step, losses: this.lanes.map(() => 1), seconds: 1 };
      }),
    sample: (settings, onPiece) =>
      this.answer('sample', async () => {
        this.needs('texts');
        const lanes = [...(settings.include_base ? [null] : []), ...this.lanes];
        for (const tokens of [1, 2]) {
          for (const run of lanes) {
            const text = tokens > 1 ? '' : run === null ? 'base' : `run ${run}`;
            onPiece({ run, text, tokens, done: tokens === 2 });
          }
          await macrotask();
          // What was written so far is an answer.
          if (this.cancelled) return null;
        }
        return null;
      }),
    tokenLosses: ({ text, include_base: base }) =>
      this.answer('tokenLosses', () => {
        this.needs('texts');
        const tokens = [...(text ?? 'held out')].map((letter, index) => ({
          text: letter,
          counts: index > 0,
        }));
        const losses = (run: number | null) => tokens.map((_, index) => (index === 0 ? null : (run ?? 9)));
        const lanes = this.lanes.map((run) => ({
          run,
          losses: losses(this.settings?.runs[run]?.optimizer.lr ?? null),
        }));
        const all = base ? [...lanes, { run: null, losses: losses(null) }] : lanes;
        return { tokens, left_out: 0, lanes: all };
      }),
    checkpoint: () =>
      this.answer('checkpoint', () => {
        this.needsSession();
        return new Uint8Array([this.step]);
      }),
    restore: (bytes) =>
      this.answer('restore', () => {
        this.needsSession();
        this.asked.push(`restore ${bytes[0]}`);
        this.step = bytes[0] ?? 0;
        return null;
      }),
    startFrom: (start) =>
      this.answer('startFrom', () => {
        this.needs('texts');
        this.asked.push(`start from ${start?.name ?? 'fresh'}`);
        if (this.refuses !== null) throw this.refuses;
        return start && { ...matched, rank: 4, alpha: 8, targets: ['q_proj'], base: 'tiny' };
      }),
    exportAdapter: (run, base) =>
      this.answer('exportAdapter', () => {
        this.needsTrained();
        this.asked.push(`export ${run} of ${base}`);
        return { config: new Uint8Array([1]), weights: new Uint8Array([this.step]) };
      }),
    exportGguf: (_run, precision) =>
      this.answer('exportGguf', () => {
        this.needsTrained();
        return new Uint8Array(precision === 'f32' ? 4 : 2);
      }),
    mergedPlan: () =>
      this.answer('mergedPlan', () => {
        this.needsTrained();
        return { pieces: 3, bytes: 6 };
      }),
    mergedStart: () =>
      this.answer('mergedStart', () => {
        this.needsTrained();
        return { config: new Uint8Array([1]), weights: new Uint8Array([0]) };
      }),
    mergedPiece: (_run, _precision, piece) =>
      this.answer('mergedPiece', () => {
        this.needsTrained();
        return new Uint8Array([piece, piece]);
      }),
    loadPictureModel: (files, onProgress) =>
      this.answer('loadPictureModel', async () => {
        this.needsEngine();
        this.asked.push(`picture model ${files.length}`);
        this.close();
        const cancelled = refusal('model', 'loading was cancelled');
        await this.tell(onProgress, { action: 'reading', done: 1, total: 1 }, cancelled);
        this.model = 'pictures';
        return { name: 'fake', image_size: 2 } as PictureModelSummary;
      }),
    loadPictures: (captions, pixels, validation) =>
      this.answer('loadPictures', () => {
        this.needs('pictures');
        this.asked.push(`pictures ${captions.join()} of ${pixels.length} bytes`);
        this.hasData = true;
        this.training = false;
        return { train: captions.length - validation, validation, captions: [], alike: [] };
      }),
    draw: ({ captions, steps, runs, include_base }, onProgress) =>
      this.answer('draw', async () => {
        this.needs('pictures');
        this.asked.push(`draw ${runs.join()}`);
        if (this.step === this.diesDrawingAt) {
          this.crash();
          return forever();
        }
        const cancelled = refusal('draw', 'Drawing was cancelled.');
        for (let step = 1; step <= steps; step += 1) {
          onProgress({ action: 'drawing', done: step, total: steps });
          if (this.cancelled) throw cancelled;
        }
        await macrotask();
        if (this.cancelled) throw cancelled;
        const lanes = include_base ? [null, ...runs] : runs;
        const grey = (run: number | null) =>
          run === null ? 9 : (this.settings?.runs[run]?.optimizer.lr ?? 0);
        const pixels = lanes.flatMap((run) =>
          captions.flatMap((_, index) => Array(4).fill(grey(run) + index)),
        );
        return { runs: lanes, size: 1, pixels: new Uint8Array(pixels) };
      }),
    startFromPictures: (weights) =>
      this.answer('startFromPictures', () => {
        this.needs('pictures');
        this.asked.push(`start from ${weights?.length ?? 'fresh'}`);
        if (this.refuses !== null) throw this.refuses;
        return weights && { ...matched, rank: 4, alpha: 4, targets: ['q_proj'], base: 'icons' };
      }),
    exportPictures: (run) =>
      this.answer('exportPictures', () => {
        this.needsTrained();
        this.asked.push(`export pictures ${run}`);
        return new Uint8Array([run]);
      }),
    loseDevice: async () => {
      // The CPU has no device.
      if (this.engine === 'webgpu') this.deviceLost = true;
    },
    cancel: async (question) => {
      if (question === this.question) this.cancelled = true;
    },
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
    log_det_ratio: -step,
    layers: layersOf(step),
  };
}

/** The same of two layers: the second learns twice as fast. */
export function layersOf(step: number): LayerDiagnostics {
  const both = (value: (layer: number) => number | null) => [value(1), value(2)];
  return {
    norm_a: both((layer) => 3 + layer),
    norm_b: both((layer) => layer * (step - 1)),
    norm_delta: both((layer) => 2 * layer * (step - 1)),
    condition_a: both((layer) => (step === 1 ? null : layer * 10)),
    condition_b: both(() => 3),
    undamped_a: both((layer) => 1 - 1 / (layer * step)),
    log_det_ratio: both((layer) => 8 - layer * step),
  };
}
