import type * as protocol from '../protocol';
import type { DrawnPictures, EngineName, FolderFiles } from './engine-module';

/** What a worker answers. `lost` says that the worker cannot go on: a trap in wasm, or a GPU device that is gone. */
export type Reply<Value> =
  | { ok: true; value: Value }
  | { ok: false; failure: protocol.Failure; lost: boolean };

/** Called across the worker's border, both answer a promise there, and nothing on the page. */
export type OnProgress = (progress: protocol.Progress) => unknown;
export type OnPiece = (piece: protocol.SamplePiece) => unknown;
export type OnTheory = (report: protocol.TheoryReport) => unknown;

/** A PEFT adapter as its two files, `adapter_config.json` and `adapter_model.safetensors`. */
export interface AdapterFiles extends FolderFiles {
  /** What the user calls it: the file's or the folder's name. */
  name: string;
}

/** What is in a file, and what the file is called. */
export interface NamedBlob {
  name: string;
  blob: Blob;
}

/** What a worker can be asked for. One question at a time: a session is not re-entrant. Only `cancel` may cut in. */
export interface WorkerApi {
  /** `onKernel` is told how many kernels a GPU has compiled, at each one. */
  start(
    engine: EngineName,
    products: protocol.ProductTable | null,
    onKernel: (count: number) => void,
  ): Promise<Reply<protocol.EngineReport>>;
  loadModel(files: File[], onProgress: OnProgress): Promise<Reply<protocol.ModelSummary>>;
  /** Reads data, and a file of its own to validate on; null keeps a part of the data for that. */
  loadData(
    data: NamedBlob,
    validation: NamedBlob | null,
    settings: protocol.DataSettings,
    on: OnProgress,
  ): Promise<Reply<protocol.DataSummary>>;
  estimate(settings: protocol.SessionSettings): Promise<Reply<protocol.MemoryEstimate>>;
  configure(settings: protocol.SessionSettings): Promise<Reply<null>>;
  step(): Promise<Reply<protocol.StepReport>>;
  /** What shard `shard` of `shards` of the next step's batch adds to it. */
  shard(shard: number, shards: number): Promise<Reply<Float32Array>>;
  /** The next step from all its shards, of which this worker has computed one. */
  stepWithShards(shards: Float32Array[]): Promise<Reply<protocol.StepReport>>;
  evaluate(onProgress: OnProgress): Promise<Reply<protocol.EvaluationReport>>;
  sample(settings: protocol.SampleSettings, onPiece: OnPiece): Promise<Reply<null>>;
  tokenLosses(settings: protocol.TokenLossSettings): Promise<Reply<protocol.TokenLossReport>>;
  checkpoint(): Promise<Reply<Uint8Array>>;
  restore(bytes: Uint8Array): Promise<Reply<null>>;
  /** Makes later sessions start from an adapter; null is fresh ones. */
  startFrom(start: AdapterFiles | null): Promise<Reply<protocol.AdapterSummary | null>>;
  exportAdapter(run: number, base: string): Promise<Reply<FolderFiles>>;
  exportGguf(run: number, precision: protocol.Precision): Promise<Reply<Uint8Array>>;
  mergedPlan(run: number, precision: protocol.Precision): Promise<Reply<protocol.MergedPlan>>;
  mergedStart(run: number, precision: protocol.Precision): Promise<Reply<FolderFiles>>;
  mergedPiece(run: number, precision: protocol.Precision, piece: number): Promise<Reply<Uint8Array>>;
  /** Loads a text-to-image model; a worker has one model, of either kind, and one session on it. */
  loadPictureModel(files: File[], onProgress: OnProgress): Promise<Reply<protocol.PictureModelSummary>>;
  /** Takes `pixels` [N, size, size, 3], the last `validation` of them to validate with. */
  loadPictures(
    captions: string[],
    pixels: Uint8Array,
    validation: number,
    settings: protocol.PictureDataSettings,
  ): Promise<Reply<protocol.PictureDataSummary>>;
  draw(settings: protocol.DrawSettings, onProgress: OnProgress): Promise<Reply<DrawnPictures>>;
  /** Makes later sessions on pictures start from an adapter; null is fresh ones. */
  startFromPictures(weights: Uint8Array | null): Promise<Reply<protocol.AdapterSummary | null>>;
  exportPictures(run: number): Promise<Reply<Uint8Array>>;
  /** Trains the theory's methods on one problem; needs an engine and no model. */
  theory(settings: protocol.TheorySettings, onReport: OnTheory): Promise<Reply<null>>;
  /** Sums a sweep up; needs an engine's module and no model. */
  summariseSweep(question: protocol.SweepQuestion): Promise<Reply<protocol.MethodSummary[]>>;
  /** Makes callbacks of a question answer `false`, if it is the one at work: questions of a worker are counted from 1. */
  cancel(question: number): Promise<void>;
  /** For tests: gives the WebGPU device up, as a driver reset does. */
  loseDevice(): Promise<void>;
}
