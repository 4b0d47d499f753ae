import { writeConfig } from '../config/serialise';
import { readyValue } from '../lab/loadable';
import type { App } from '../language/app';
import { packMetrics } from '../metrics/packed';
import { wordsOf } from '../result';
import { Signal } from '../signal';
import { digestOf } from '../store/digest';
import { catalogModelOf } from '../store/download';
import { isFull } from '../store/full';
import type { Generation } from '../store/vault';
import {
  type KeptFile,
  type KeptTraining,
  partNames,
  stepsOf,
  type TrainingVault,
  VERSION,
} from './kept-training';

// Keeping may take this share of the time, however fast steps are …
const SHARE = 0.1;
// … and nobody loses much in this.
const REST_MS = 1000;

/** Keeps the current training in the browser's files, and knows which one is there. */
export class Keeper {
  /** What could be resumed; null where nothing is kept. */
  readonly offer = new Signal<Generation<KeptTraining> | null>(null);
  /** Why what should be kept is not; empty where it is. */
  readonly trouble = new Signal<string>('');
  private began = '';
  private busy = false;
  private saving: Promise<void> = Promise.resolve();
  /** What is kept already: nothing is written twice. */
  private saved = '';
  /** What was asked for while it was busy. */
  private next: 'nothing' | 'soon' | 'now' = 'nothing';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private restsUntil = 0;
  /** Model files that are kept already, and those that found no room. */
  private stored: readonly File[] | null = null;
  private tooLarge: readonly File[] | null = null;

  constructor(
    private readonly app: App,
    /** Null in a browser that has no files of their own for pages. */
    private readonly vault: Promise<TrainingVault | null>,
  ) {
    app.metrics.subscribe(() => {
      this.began = new Date().toISOString();
      this.tooLarge = null;
      this.trouble.set('');
      // What waits belongs to the training before, and its workers are about to leave.
      clearTimeout(this.timer);
      this.timer = undefined;
      this.next = 'nothing';
    });
    app.checkpointed.subscribe(() => this.soon());
    app.samples.writing.subscribe((writing) => !writing && this.soon());
    app.lab.phase.subscribe((phase) => {
      if (phase === 'paused' || phase === 'finished' || phase === 'stopped') void this.now();
    });
  }

  /** Looks for a training that an earlier visit left. */
  async look(): Promise<void> {
    try {
      const found = (await (await this.vault)?.peek()) ?? null;
      this.offer.set(found?.content.version === VERSION ? found : null);
    } catch (thrown) {
      this.trouble.set(`What an earlier visit kept cannot be read: ${wordsOf(thrown)}.`);
    }
  }

  /** The whole of it, every byte checked; null where nothing is whole. */
  async open(): Promise<Generation<KeptTraining> | null> {
    const found = (await (await this.vault)?.open()) ?? null;
    return found?.content.version === VERSION ? found : null;
  }

  async discard(): Promise<void> {
    await this.saving;
    this.offer.set(null);
    this.stored = null;
    this.saved = '';
    await (await this.vault)?.clear();
  }

  /** A training that goes on began when it began. */
  continues(began: string): void {
    this.began = began;
  }

  /** The page may never come back: makes checkpoints now, and keeps them without a rest. */
  hurry(): void {
    this.restsUntil = 0;
    this.app.lab.checkpointNow();
    if (this.busy || this.timer !== undefined) void this.now();
  }

  /** Keeps the last checkpoints without a rest. */
  async now(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.busy) {
      this.next = 'now';
      return;
    }
    this.busy = true;
    const started = performance.now();
    this.saving = this.save();
    await this.saving;
    const ended = performance.now();
    this.restsUntil = ended + Math.max(REST_MS, (ended - started) * (1 / SHARE - 1));
    this.busy = false;
    const { next } = this;
    this.next = 'nothing';
    if (next === 'now') await this.now();
    else if (next === 'soon') this.soon();
  }

  private soon(): void {
    if (this.timer !== undefined) return;
    if (this.busy) {
      if (this.next === 'nothing') this.next = 'soon';
      return;
    }
    const rest = this.restsUntil - performance.now();
    if (rest <= 0) void this.now();
    else this.timer = setTimeout(() => void this.now(), rest);
  }

  private async save(): Promise<void> {
    if (this.app.trained.value?.checkpointEvery === 0 || (this.app.metrics.value?.step ?? 0) === 0) return;
    // At once, as long as everything belongs together.
    const taking = this.take();
    try {
      const [taken, vault] = await Promise.all([taking, this.vault]);
      if (vault === null) {
        return this.trouble.set(
          'This browser keeps no files for this page (some refuse in private windows): a reload would end the training for good.',
        );
      }
      if (taken === null) return;
      const { training, parts, model } = taken;
      const state = JSON.stringify([training.began, training.workers, training.samples]);
      if (state === this.saved) return;
      const words = await this.put(vault, training, parts, model);
      this.saved = state;
      this.trouble.set(words);
      this.offer.set({ content: training, parts, fallback: false });
    } catch (thrown) {
      const full = isFull(thrown);
      const cause = full ? 'this browser’s storage for the page is full' : wordsOf(thrown);
      const way = full ? 'Free some under Storage below' : 'Look under Storage below';
      this.trouble.set(
        `Training goes on, but its checkpoints are not kept over a reload: ${cause}. ${way}; the next checkpoint is tried again.`,
      );
    }
  }

  /** What there is to keep, as it is at this moment; null before every worker has a checkpoint. */
  private async take() {
    const { lab, metrics, trained, dataSource, samples } = this.app;
    const [curves, config, source] = [metrics.value, trained.value, dataSource.value];
    const trainees = lab.trainees.filter(({ checkpoint }) => checkpoint !== null);
    if (curves === null || config === null || source === null || trainees.length === 0) return null;
    if (trainees.length < lab.trainees.length) return null;
    const parts = new Map<string, Blob>();
    const workers = trainees.map(({ runs, checkpoint, ended }, index) => {
      const { step = 0, bytes = new Uint8Array() } = checkpoint ?? {};
      parts.set(partNames.worker(index), new Blob([bytes as Uint8Array<ArrayBuffer>]));
      return { runs, step, ended };
    });
    const { bytes, ...packed } = packMetrics(curves, stepsOf(workers, curves));
    parts.set(partNames.metrics, new Blob([bytes]));
    parts.set(partNames.data, source.blob);
    const { modelFiles } = lab;
    const [first] = modelFiles;
    const catalog = (first !== undefined && modelFiles.length === 1 ? catalogModelOf(first) : null) ?? null;
    const training: KeptTraining = {
      version: VERSION,
      began: this.began,
      step: Math.min(...workers.map(({ step }) => step)),
      steps: curves.steps,
      config: writeConfig(config),
      model: { name: catalog?.name ?? readyValue(lab.model.value)?.name ?? '', catalog, files: [] },
      data: { name: source.name, bytes: source.blob.size, digest: '' },
      workers,
      samples: structuredClone([...samples.groups.value]),
      metrics: packed,
    };
    // From here on the training goes on beside.
    training.data.digest = await digestOf(source.blob);
    training.model.files = await Promise.all(modelFiles.map(keptFile));
    return { training, parts, model: catalog === null ? modelFiles : [] };
  }

  /** Writes it all, and where the model has no room, all but the model. Says what is missing. */
  private async put(
    vault: TrainingVault,
    training: KeptTraining,
    parts: Map<string, Blob>,
    model: readonly File[],
  ): Promise<string> {
    const size = model.reduce((sum, file) => sum + file.size, 0);
    if (this.stored === model || (this.tooLarge !== model && (await vault.hasRoom(size)))) {
      try {
        const all = new Map([
          ...parts,
          ...model.map((file, index) => [partNames.modelFile(index), file] as const),
        ]);
        await vault.save(training, all);
        this.stored = model;
        return '';
      } catch (thrown) {
        if (size === 0 || !isFull(thrown)) throw thrown;
      }
    }
    this.stored = null;
    this.tooLarge = model;
    await vault.save(training, parts);
    return 'The model’s files have no room in this browser’s storage: after a reload you are asked for them again.';
  }
}

async function keptFile(file: File): Promise<KeptFile> {
  return { name: file.name, bytes: file.size, digest: await digestOf(file) };
}
