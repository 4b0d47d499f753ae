import type { OnProgress, Reply, WorkerApi } from '../engine/worker-api';
import type { AdapterSummary } from '../protocol';
import type { Gift, Seat } from './seat';

/** How workers of one kind of lab are given what they train: texts and a language model, or pictures and one that draws. */
export interface Kind<Model, Data, Facts, Start> {
  loadModel(api: WorkerApi, files: File[], onProgress: OnProgress): Promise<Reply<Model>>;
  loadData(api: WorkerApi, data: Data, onProgress: OnProgress): Promise<Reply<Facts>>;
  /** Whether a worker that has one need not be given the other. */
  isSameData(one: Data, other: Data): boolean;
  startFrom(api: WorkerApi, start: Start | null): Promise<Reply<AdapterSummary | null>>;
}

const tellNobody: OnProgress = () => {};

/** What all workers of a lab are to have. A worker that has something already is not given it again. */
export class Supplies<Model, Data, Facts, Start> {
  files: File[] | null = null;
  data: Data | null = null;
  /** What all runs start from; null is fresh adapters. */
  start: Start | null = null;

  constructor(private readonly kind: Kind<Model, Data, Facts, Start>) {}

  loadModel(seat: Seat, files: File[], onProgress = tellNobody): Promise<Reply<Model>> {
    return seat.give({
      name: 'model',
      thing: files,
      // The worker lets go of the old model first: memory of a wasm module never shrinks.
      costs: ['model', 'data', 'start'],
      ask: (api) => this.kind.loadModel(api, files, onProgress),
    });
  }

  loadData(seat: Seat, data: Data, onProgress = tellNobody): Promise<Reply<Facts>> {
    const gift: Gift<Facts, Data> = {
      name: 'data',
      thing: data,
      costs: ['data'],
      same: (one, other) => this.kind.isSameData(one, other),
      ask: (api) => this.kind.loadData(api, data, onProgress),
    };
    return seat.give(gift);
  }

  /** Gives the worker the adapter that its runs start from, or takes it back; it needs a model before. */
  startFrom(seat: Seat, start: Start | null): Promise<Reply<AdapterSummary | null>> {
    if (start === null && !seat.has('start')) return Promise.resolve({ ok: true, value: null });
    // One that does not fit leaves the one before.
    return seat.give({
      name: 'start',
      thing: start,
      costs: [],
      ask: (api) => this.kind.startFrom(api, start),
    });
  }

  /** Everything that a worker needs before it can train; null where the lab does not have it itself. */
  async all(seat: Seat, onProgress: OnProgress): Promise<Reply<unknown> | null> {
    const { files, data, start } = this;
    if (files === null || data === null) return null;
    const model = await this.loadModel(seat, files, onProgress);
    if (!model.ok) return model;
    const given = await this.loadData(seat, data, onProgress);
    return given.ok ? this.startFrom(seat, start) : given;
  }
}
