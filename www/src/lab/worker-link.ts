import * as Comlink from 'comlink';
import type { WorkerApi } from '../engine/worker-api';
import type { Failure } from '../protocol';

/** A worker as the page sees it. */
export interface WorkerLink {
  api: WorkerApi;
  /** Ends with the reason when the worker can answer no more. */
  died: Promise<Failure>;
  /** Ends the worker at once. */
  terminate(reason: string): void;
}

/** Makes links; tests give their own. */
export type SpawnWorker = () => WorkerLink;

/** Starts a real worker. */
export function spawnWorker(): WorkerLink {
  const worker = new Worker(new URL('../engine/worker.ts', import.meta.url), {
    type: 'module',
    name: 'riemann-lora',
  });
  const remote = Comlink.wrap<WorkerApi>(worker);
  const { promise: died, resolve } = Promise.withResolvers<Failure>();
  const end = (message: string) => {
    worker.terminate();
    resolve({ place: 'engine', field: null, message });
  };
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    const missing =
      'its script could not be loaded. This page is older than its server, or there is no network; reload the page: trainings that are kept stay';
    end(`The worker stopped: ${event.message || missing}`);
  });
  worker.addEventListener('messageerror', () => end('The worker sent something unreadable.'));
  return {
    // Functions travel only as proxies, and that is the link's business: the lab passes plain functions.
    api: {
      start: (engine, products, on) => remote.start(engine, products, Comlink.proxy(on)),
      loadModel: (files, on) => remote.loadModel(files, Comlink.proxy(on)),
      loadData: (data, validation, settings, on) =>
        remote.loadData(data, validation, settings, Comlink.proxy(on)),
      estimate: (settings) => remote.estimate(settings),
      configure: (settings) => remote.configure(settings),
      step: () => remote.step(),
      shard: (shard, shards) => remote.shard(shard, shards),
      stepWithShards: (shards) => remote.stepWithShards(shards),
      evaluate: (on) => remote.evaluate(Comlink.proxy(on)),
      sample: (settings, on) => remote.sample(settings, Comlink.proxy(on)),
      tokenLosses: (settings) => remote.tokenLosses(settings),
      checkpoint: () => remote.checkpoint(),
      restore: (bytes) => remote.restore(bytes),
      startFrom: (start) => remote.startFrom(start),
      exportAdapter: (run, base) => remote.exportAdapter(run, base),
      exportGguf: (run, precision) => remote.exportGguf(run, precision),
      mergedPlan: (run, precision) => remote.mergedPlan(run, precision),
      mergedStart: (run, precision) => remote.mergedStart(run, precision),
      mergedPiece: (run, precision, piece) => remote.mergedPiece(run, precision, piece),
      loadPictureModel: (files, on) => remote.loadPictureModel(files, Comlink.proxy(on)),
      loadPictures: (captions, pixels, validation, settings) =>
        remote.loadPictures(captions, pixels, validation, settings),
      draw: (settings, on) => remote.draw(settings, Comlink.proxy(on)),
      startFromPictures: (weights) => remote.startFromPictures(weights),
      exportPictures: (run) => remote.exportPictures(run),
      theory: (settings, on) => remote.theory(settings, Comlink.proxy(on)),
      summariseSweep: (question) => remote.summariseSweep(question),
      cancel: (question) => remote.cancel(question),
      loseDevice: () => remote.loseDevice(),
    },
    died,
    terminate: end,
  };
}
