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

/** What workers of one training are to have. */
export interface Outfit<Data, Start> {
  files: File[];
  data: Data;
  /** What all runs start from; null is fresh adapters. */
  start: Start | null;
}

const tellNobody: OnProgress = () => {};

/** Gives workers what they need. What one has already it is not given again. */
export class Supplies<Model, Data, Facts, Start> {
  constructor(private readonly kind: Kind<Model, Data, Facts, Start>) {}

  loadModel(seat: Seat, files: File[], onProgress = tellNobody, signal?: AbortSignal): Promise<Reply<Model>> {
    const gift: Gift<Model, File[]> = {
      name: 'model',
      thing: files,
      // The worker lets go of the old model first: memory of a wasm module never shrinks.
      costs: ['model', 'data', 'start'],
      ask: (api) => this.kind.loadModel(api, files, onProgress),
    };
    return seat.give(gift, signal);
  }

  loadData(seat: Seat, data: Data, onProgress = tellNobody, signal?: AbortSignal): Promise<Reply<Facts>> {
    const gift: Gift<Facts, Data> = {
      name: 'data',
      thing: data,
      costs: ['data'],
      same: (one, other) => this.kind.isSameData(one, other),
      ask: (api) => this.kind.loadData(api, data, onProgress),
    };
    return seat.give(gift, signal);
  }

  /** Gives the worker the adapter that its runs start from, or takes it back; it needs a model before. */
  startFrom(seat: Seat, start: Start | null, signal?: AbortSignal): Promise<Reply<AdapterSummary | null>> {
    if (start === null && !seat.has('start')) return Promise.resolve({ ok: true, value: null });
    const gift: Gift<AdapterSummary | null, Start | null> = {
      name: 'start',
      thing: start,
      // One that does not fit leaves the one before.
      costs: [],
      ask: (api) => this.kind.startFrom(api, start),
    };
    return seat.give(gift, signal);
  }

  /** Everything that a worker needs before it can train. */
  async all(
    seat: Seat,
    { files, data, start }: Outfit<Data, Start>,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<Reply<unknown>> {
    const model = await this.loadModel(seat, files, onProgress, signal);
    if (!model.ok) return model;
    const given = await this.loadData(seat, data, onProgress, signal);
    return given.ok ? this.startFrom(seat, start, signal) : given;
  }
}
