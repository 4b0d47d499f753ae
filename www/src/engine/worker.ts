// One engine and one session, behind the questions of `WorkerApi`. Nothing is decided here.
import * as Comlink from 'comlink';
import type { Failure } from '../protocol';
import { isFailure, wordsOf } from '../result';
import {
  type AnyWebSession,
  type EngineModule,
  loadEngineModule,
  type WebPictureSession,
  type WebSession,
} from './engine-module';
import { countKernels } from './kernel-count';
import type { Reply, WorkerApi } from './worker-api';

let engine: EngineModule | undefined;
let texts: WebSession | undefined;
let pictures: WebPictureSession | undefined;
/** Counts questions, as the page does: what is cancelled is one of them, and not whatever comes next. */
let question = 0;
let cancelled = false;
// Callbacks have a channel of their own: an answer that overtook them would come before what led to it.
let told: unknown;

const missing = (place: string, message: string): Failure => ({ place, field: null, message });

/** Runs an action and turns what it throws into a value. What is no `Failure` is a trap: the module is broken then. */
async function reply<Value>(action: () => Value | Promise<Value>): Promise<Reply<Value>> {
  question += 1;
  cancelled = false;
  try {
    const value = await action();
    await told;
    return { ok: true, value };
  } catch (thrown) {
    if (isFailure(thrown)) return { ok: false, failure: thrown, lost: thrown.place === 'engine' };
    return { ok: false, failure: missing('engine', `The engine stopped: ${wordsOf(thrown)}`), lost: true };
  }
}

/** Passes on what the engine tells, and answers it whether to go on. */
function telling<Message>(listener: (message: Message) => unknown): (message: Message) => boolean {
  return (message) => {
    told = listener(message);
    return !cancelled;
  };
}

function startedEngine(): EngineModule {
  if (engine === undefined) throw missing('engine', 'The engine has not started.');
  return engine;
}

/** Of both there is one at most. */
function open<Session extends AnyWebSession>(session: Session | undefined): Session {
  if (session === undefined) throw missing('model', 'No model is loaded. Load one first.');
  return session;
}

const openAny = () => open<AnyWebSession>(texts ?? pictures);
const openTexts = () => open(texts);
const openPictures = () => open(pictures);

async function bytesOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.arrayBuffer());
}

function close(): void {
  texts?.free();
  pictures?.free();
  texts = undefined;
  pictures = undefined;
}

const api: WorkerApi = {
  start: (name, products, onKernel) =>
    reply(async () => {
      countKernels(onKernel);
      engine = await loadEngineModule(name);
      if (engine === undefined) throw missing('engine', `This page was built without the ${name} engine.`);
      return engine.start_engine(products);
    }),
  loadModel: (files, onProgress) =>
    reply(async () => {
      close();
      texts = await startedEngine().WebSession.load_model(files, telling(onProgress));
      return texts.model();
    }),
  loadData: (data, validation, settings, onProgress) =>
    reply(async () => {
      const bytes = await bytesOf(data.blob);
      const held = validation === null ? undefined : await bytesOf(validation.blob);
      return openTexts().load_data(data.name, bytes, validation?.name, held, settings, telling(onProgress));
    }),
  estimate: (settings) => reply(() => openAny().estimate(settings)),
  configure: (settings) =>
    reply(() => {
      openAny().configure(settings);
      return null;
    }),
  step: () => reply(() => openAny().step()),
  shard: (shard, shards) => reply(() => openAny().shard(shard, shards)),
  stepWithShards: (shards) => reply(() => openAny().step_with_shards(shards)),
  evaluate: (onProgress) => reply(() => openAny().evaluate(telling(onProgress))),
  sample: (settings, onPiece) =>
    reply(async () => {
      await openTexts().sample(settings, telling(onPiece));
      return null;
    }),
  tokenLosses: (settings) => reply(() => openTexts().token_losses(settings)),
  checkpoint: () => reply(() => openAny().checkpoint()),
  restore: (bytes) =>
    reply(() => {
      openAny().restore(bytes);
      return null;
    }),
  startFrom: (start) =>
    reply(() => {
      if (start !== null) return openTexts().start_from(start.config, start.weights);
      openTexts().start_afresh();
      return null;
    }),
  loadPictureModel: (files, onProgress) =>
    reply(async () => {
      close();
      pictures = await startedEngine().WebPictureSession.load_model(files, telling(onProgress));
      return pictures.model();
    }),
  loadPictures: (captions, pixels, validation, settings) =>
    reply(() => openPictures().load_pictures(captions, pixels, validation, settings)),
  draw: (settings, onProgress) => reply(() => openPictures().draw(settings, telling(onProgress))),
  startFromPictures: (weights) =>
    reply(() => {
      if (weights !== null) return openPictures().start_from(weights);
      openPictures().start_afresh();
      return null;
    }),
  exportPictures: (run) => reply(() => openPictures().export_adapter(run)),
  exportAdapter: (run, base) => reply(() => openTexts().export_adapter(run, base)),
  exportGguf: (run, precision) => reply(() => openTexts().export_gguf(run, precision)),
  mergedPlan: (run, precision) => reply(() => openTexts().merged_plan(run, precision)),
  mergedStart: (run, precision) => reply(() => openTexts().merged_start(run, precision)),
  mergedPiece: (run, precision, piece) => reply(() => openTexts().merged_piece(run, precision, piece)),
  theory: (settings, onReport) =>
    reply(async () => {
      await startedEngine().theory(settings, telling(onReport));
      return null;
    }),
  summariseSweep: (question) => reply(() => startedEngine().summarise_sweep(question)),
  cancel: async (named) => {
    if (named === question) cancelled = true;
  },
  loseDevice: async () => engine?.lose_device?.(),
};

// A trap inside a future rejects nobody's promise; thrown again outside of one, it reaches the page as an `error`.
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  setTimeout(() => {
    throw event.reason;
  });
});

Comlink.expose(api);
