// One engine and one session, behind the questions of `WorkerApi`. Nothing is decided here.
import * as Comlink from 'comlink';
import { type EngineModule, loadEngineModule, type WebSession } from './engine-module';
import type { Failure } from './protocol';
import { isFailure, wordsOf } from './result';
import type { Reply, WorkerApi } from './worker-api';

let engine: EngineModule | undefined;
let session: WebSession | undefined;
let cancelled = false;
// Callbacks have a channel of their own: an answer that overtook them would come before what led to it.
let told: unknown;

const missing = (place: string, message: string): Failure => ({ place, field: null, message });

/** Runs an action and turns what it throws into a value. What is no `Failure` is a trap: the module is broken then. */
async function reply<Value>(action: () => Value | Promise<Value>): Promise<Reply<Value>> {
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

function openSession(): WebSession {
  if (session === undefined) throw missing('model', 'No model is loaded. Load one first.');
  return session;
}

const api: WorkerApi = {
  start: (name) =>
    reply(async () => {
      engine = await loadEngineModule(name);
      if (engine === undefined) throw missing('engine', `This page was built without the ${name} engine.`);
      return engine.start_engine();
    }),
  loadModel: (files, onProgress) =>
    reply(async () => {
      if (engine === undefined) throw missing('engine', 'The engine has not started.');
      session?.free();
      session = undefined;
      session = await engine.WebSession.load_model(files, telling(onProgress));
      return session.model();
    }),
  loadData: (data, name, settings, onProgress) =>
    reply(async () => {
      const bytes = new Uint8Array(await data.arrayBuffer());
      return openSession().load_data(name, bytes, settings, telling(onProgress));
    }),
  estimate: (settings) => reply(() => openSession().estimate(settings)),
  configure: (settings) =>
    reply(async () => {
      await openSession().configure(settings);
      return null;
    }),
  step: () => reply(() => openSession().step()),
  evaluate: (onProgress) => reply(() => openSession().evaluate(telling(onProgress))),
  sample: (settings, onPiece) =>
    reply(async () => {
      await openSession().sample(settings, telling(onPiece));
      return null;
    }),
  tokenLosses: (settings) => reply(() => openSession().token_losses(settings)),
  checkpoint: () => reply(() => openSession().checkpoint()),
  restore: (bytes) =>
    reply(async () => {
      await openSession().restore(bytes);
      return null;
    }),
  startFrom: (start) =>
    reply(() => {
      if (start !== null) return openSession().start_from(start.config, start.weights);
      openSession().start_afresh();
      return null;
    }),
  exportAdapter: (run, base) => reply(() => openSession().export_adapter(run, base)),
  exportGguf: (run, precision) => reply(() => openSession().export_gguf(run, precision)),
  mergedPlan: (run, precision) => reply(() => openSession().merged_plan(run, precision)),
  mergedStart: (run, precision) => reply(() => openSession().merged_start(run, precision)),
  mergedPiece: (run, precision, piece) => reply(() => openSession().merged_piece(run, precision, piece)),
  theory: (settings, onReport) =>
    reply(async () => {
      if (engine === undefined) throw missing('engine', 'The engine has not started.');
      await engine.theory(settings, telling(onReport));
      return null;
    }),
  summariseSweep: (question) =>
    reply(() => {
      if (engine === undefined) throw missing('engine', 'The engine has not started.');
      return engine.summarise_sweep(question);
    }),
  cancel: async () => {
    cancelled = true;
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
