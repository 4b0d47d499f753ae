import type { EngineName } from './engine-module';
import type { AdapterFiles } from './lab/adapter-files';
import type { FolderFiles } from './lab/exporting';
import type {
  AdapterSummary,
  DataSettings,
  DataSummary,
  EngineReport,
  EvaluationReport,
  Failure,
  MemoryEstimate,
  MergedPlan,
  MethodSummary,
  ModelSummary,
  Precision,
  Progress,
  SamplePiece,
  SampleSettings,
  SessionSettings,
  StepReport,
  SweepQuestion,
  TheoryReport,
  TheorySettings,
  TokenLossReport,
  TokenLossSettings,
} from './protocol';

/** What a worker answers. `lost` says that the worker cannot go on: a trap in wasm, or a GPU device that is gone. */
export type Reply<Value> = { ok: true; value: Value } | { ok: false; failure: Failure; lost: boolean };

/** Called across the worker's border, both answer a promise there, and nothing on the page. */
export type OnProgress = (progress: Progress) => unknown;
export type OnPiece = (piece: SamplePiece) => unknown;
export type OnTheory = (report: TheoryReport) => unknown;

/** What a worker can be asked for. One question at a time: a session is not re-entrant. Only `cancel` may cut in. */
export interface WorkerApi {
  start(engine: EngineName): Promise<Reply<EngineReport>>;
  loadModel(files: File[], onProgress: OnProgress): Promise<Reply<ModelSummary>>;
  loadData(data: Blob, name: string, settings: DataSettings, on: OnProgress): Promise<Reply<DataSummary>>;
  estimate(settings: SessionSettings): Promise<Reply<MemoryEstimate>>;
  configure(settings: SessionSettings): Promise<Reply<null>>;
  step(): Promise<Reply<StepReport>>;
  evaluate(onProgress: OnProgress): Promise<Reply<EvaluationReport>>;
  sample(settings: SampleSettings, onPiece: OnPiece): Promise<Reply<null>>;
  tokenLosses(settings: TokenLossSettings): Promise<Reply<TokenLossReport>>;
  checkpoint(): Promise<Reply<Uint8Array>>;
  restore(bytes: Uint8Array): Promise<Reply<null>>;
  /** Makes later sessions start from an adapter; null is fresh ones. */
  startFrom(start: AdapterFiles | null): Promise<Reply<AdapterSummary | null>>;
  exportAdapter(run: number, base: string): Promise<Reply<FolderFiles>>;
  exportGguf(run: number, precision: Precision): Promise<Reply<Uint8Array>>;
  mergedPlan(run: number, precision: Precision): Promise<Reply<MergedPlan>>;
  mergedStart(run: number, precision: Precision): Promise<Reply<FolderFiles>>;
  mergedPiece(run: number, precision: Precision, piece: number): Promise<Reply<Uint8Array>>;
  /** Trains the theory's methods on one problem; needs an engine and no model. */
  theory(settings: TheorySettings, onReport: OnTheory): Promise<Reply<null>>;
  /** Sums a sweep up; needs an engine's module and no model. */
  summariseSweep(question: SweepQuestion): Promise<Reply<MethodSummary[]>>;
  /** Makes the running action's callbacks answer `false`. */
  cancel(): Promise<void>;
  /** For tests: gives the WebGPU device up, as a driver reset does. */
  loseDevice(): Promise<void>;
}
