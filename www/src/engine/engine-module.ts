import { relaxedSimd } from 'wasm-feature-detect';
import type * as protocol from '../protocol';
import { wordsOf } from '../result';

/** The two engines. */
export type EngineName = 'cpu' | 'webgpu';

/** The wasm modules: `cpu-relaxed` is the CPU engine with fused multiply-add, for browsers that know relaxed SIMD. */
export type ModuleName = EngineName | 'cpu-relaxed';

/** Two files of a folder. */
export interface FolderFiles {
  config: Uint8Array;
  weights: Uint8Array;
}

/** What lanes drew: each as many pictures as captions were given, one after the other. */
export interface DrawnPictures {
  /** Index of each lane's run; the base is null. */
  runs: (number | null)[];
  /** Width and height of each picture. */
  size: number;
  /** [lanes, captions, size, size, 4], RGBA. */
  pixels: Uint8Array<ArrayBuffer>;
}

/** Whether a page has the WebGPU module, will have it, or was built without. */
export type WebgpuModule = 'built' | 'to come' | 'left out';

/** What all wasm modules export. Rejections carry a `Failure`. */
export interface EngineModule {
  default(input?: { module_or_path: string | URL | Request }): Promise<unknown>;
  /** `products` is what an earlier start on the same adapter reported. */
  start_engine(products: protocol.ProductTable | null): Promise<protocol.EngineReport>;
  /** Needs no model. Ends early when the callback answers `false`. */
  theory(
    settings: protocol.TheorySettings,
    onReport: (report: protocol.TheoryReport) => boolean,
  ): Promise<void>;
  /** How each method of a sweep did. */
  summarise_sweep(question: protocol.SweepQuestion): protocol.MethodSummary[];
  /** Only the WebGPU module has a device that can be lost. */
  lose_device?(): void;
  WebSession: {
    load_model(files: File[], onProgress: (progress: protocol.Progress) => boolean): Promise<WebSession>;
  };
  WebPictureSession: {
    load_model(
      files: File[],
      onProgress: (progress: protocol.Progress) => boolean,
    ): Promise<WebPictureSession>;
  };
}

/** A model, of whichever kind, with the adapters of the runs that one worker trains. Callbacks that return `false` cancel. */
export interface AnyWebSession {
  estimate(settings: protocol.SessionSettings): protocol.MemoryEstimate;
  configure(settings: protocol.SessionSettings): void;
  step(): Promise<protocol.StepReport>;
  shard(shard: number, shards: number): Promise<Float32Array>;
  step_with_shards(shards: Float32Array[]): Promise<protocol.StepReport>;
  evaluate(onProgress: (progress: protocol.Progress) => boolean): Promise<protocol.EvaluationReport>;
  checkpoint(): Promise<Uint8Array>;
  restore(bytes: Uint8Array): void;
  start_afresh(): void;
  memory_bytes(): number;
  free(): void;
}

/** A text-to-image model. */
export interface WebPictureSession extends AnyWebSession {
  model(): protocol.PictureModelSummary;
  load_pictures(
    captions: string[],
    pixels: Uint8Array,
    validation: number,
    settings: protocol.PictureDataSettings,
  ): protocol.PictureDataSummary;
  draw(
    settings: protocol.DrawSettings,
    onProgress: (progress: protocol.Progress) => boolean,
  ): Promise<DrawnPictures>;
  start_from(weights: Uint8Array): protocol.AdapterSummary;
  export_adapter(run: number): Promise<Uint8Array>;
}

/** A language model. */
export interface WebSession extends AnyWebSession {
  model(): protocol.ModelSummary;
  load_data(
    fileName: string,
    bytes: Uint8Array,
    validationName: string | undefined,
    validationBytes: Uint8Array | undefined,
    settings: protocol.DataSettings,
    onProgress: (progress: protocol.Progress) => boolean,
  ): Promise<protocol.DataSummary>;
  sample(settings: protocol.SampleSettings, onPiece: (piece: protocol.SamplePiece) => boolean): Promise<void>;
  token_losses(settings: protocol.TokenLossSettings): Promise<protocol.TokenLossReport>;
  start_from(config: Uint8Array, weights: Uint8Array): protocol.AdapterSummary;
  export_adapter(run: number, base: string): Promise<FolderFiles>;
  export_gguf(run: number, precision: protocol.Precision): Promise<Uint8Array>;
  merged_plan(run: number, precision: protocol.Precision): protocol.MergedPlan;
  merged_start(run: number, precision: protocol.Precision): FolderFiles;
  merged_piece(run: number, precision: protocol.Precision, piece: number): Promise<Uint8Array>;
}

// A glob and not an import: the modules are built by another tool, and a page with only one of them is still a page.
const modules = import.meta.glob<EngineModule>('../generated/*/riemann_lora.js');

const load = (name: ModuleName) => modules[`../generated/${name}/riemann_lora.js`];

/**
 * Whether this build of the page has the WebGPU module. `scripts/serve` builds a page with the CPU's first, because it is
 * there many minutes sooner.
 */
export function webgpuModule(): WebgpuModule {
  if (load('webgpu') !== undefined) return 'built';
  return __WEBGPU_TO_COME__ ? 'to come' : 'left out';
}

/** The module of `engine` that suits this browser. */
export async function moduleOf(engine: EngineName): Promise<ModuleName> {
  const fused = engine === 'cpu' && load('cpu-relaxed') !== undefined && (await relaxedSimd());
  return fused ? 'cpu-relaxed' : engine;
}

/** Downloads and compiles the module of `engine`; undefined where the page was built without it. Rejects with a `Failure`. */
export async function loadEngineModule(engine: EngineName): Promise<EngineModule | undefined> {
  const bring = load(await moduleOf(engine));
  return bring === undefined ? undefined : openModule(engine, bring);
}

/** Opens what `bring` downloads. A server that has a newer page has this one's modules no more: that is said. */
export async function openModule(
  engine: EngineName,
  bring: () => Promise<EngineModule>,
): Promise<EngineModule> {
  try {
    const module = await bring();
    await module.default();
    return module;
  } catch (thrown) {
    // Browsers say it in words of their own, and a script that is no script at all as a syntax error.
    const name = engine === 'cpu' ? 'CPU' : 'WebGPU';
    const message =
      `The ${name} engine could not be loaded (${wordsOf(thrown)}). This page is older than its server, or there is ` +
      'no network. Reload the page; trainings that are kept stay.';
    throw { place: 'engine', field: null, message } satisfies protocol.Failure;
  }
}
