import { writeConfig } from '../config/serialise';
import { packMetrics } from '../metrics/packed';
import { type Result, wordsOf } from '../result';
import { Signal } from '../signal';
import { digestOf } from '../store/digest';
import { isFull } from '../store/full';
import type { Kept } from '../store/vault';
import { dateWords } from '../words/date';
import type { Keeping } from './keeping';
import { type KeptTraining, keptFile, partNames, stepsOf, VERSION } from './kept-training';
import { type KeptTrainings, MOST_KEPT } from './kept-trainings';

// Keeping may take this share of the time, however fast steps are …
const SHARE = 0.1;
// … and nobody loses much in this.
const REST_MS = 1000;

/** The training of now. */
interface Current {
  id: string;
  began: string;
}

/** Keeps the training of an experiment while it goes on. Knows no DOM. */
export class Keeper<Of extends KeptTraining = KeptTraining> {
  /** Why what should be kept is not; empty where it is. */
  readonly trouble = new Signal<string>('');
  /** What was done that the user did not ask for. */
  readonly notice = new Signal<string>('');
  private current: Current | null = null;
  /** A kept one that is made ready to go on here. */
  private claimed: string | null = null;
  /** The training that goes on next, in place of a new one. */
  private next: Current | null = null;
  private busy = false;
  private saving: Promise<boolean> = Promise.resolve(false);
  /** What is kept already: nothing is written twice. */
  private saved = '';
  /** What was asked for while it was busy. */
  private wanted: 'nothing' | 'soon' | 'now' = 'nothing';
  /** What the user has freed, and is not to come back. */
  private readonly forgotten = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private restsUntil = 0;
  /** Model files that are kept already, and those that found no room. */
  private stored: readonly File[] | null = null;
  private tooLarge: readonly File[] | null = null;

  constructor(
    readonly keeping: Keeping<Of>,
    readonly all: KeptTrainings<Of>,
  ) {
    const { experiment } = keeping;
    experiment.metrics.subscribe((metrics) => this.begin(metrics !== null));
    const { phase } = experiment.lab;
    // Where it stands, nothing is gained by waiting.
    const rests = () => phase.value === 'paused' || phase.value === 'finished' || phase.value === 'stopped';
    experiment.checkpointed.subscribe(() => (rests() ? void this.now() : this.soon()));
    keeping.onMore(() => this.soon());
    phase.subscribe((now) => {
      // The step at which it stands, and not the last one at which a checkpoint was due.
      if (now === 'paused') experiment.lab.checkpointNow();
      if (rests()) void this.now();
    });
    all.unread.subscribe((words) => this.trouble.set(words));
    all.discarded.subscribe((ids) => this.forget(ids));
  }

  /** Makes a kept training this tab's own, and reads it: it is about to go on here. */
  async claim(id: string): Promise<Result<Kept<Of>>> {
    this.claimed = id;
    await this.saving;
    const found = await this.all.claim(id);
    if (!found.ok) this.claimed = null;
    return found;
  }

  /** It does not go on here after all. */
  async unclaim(id: string): Promise<void> {
    this.claimed = null;
    await this.leave(id);
  }

  /** What begins next is this training. */
  continues({ id, content: { began } }: Kept<Of>): void {
    this.next = { id, began };
  }

  /** The page may never come back: makes checkpoints now, and keeps them without a rest. */
  hurry(): void {
    this.restsUntil = 0;
    this.keeping.experiment.lab.checkpointNow();
    if (this.busy || this.timer !== undefined) void this.now();
  }

  /** Keeps the last checkpoints without a rest. */
  async now(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.busy) {
      this.wanted = 'now';
      return;
    }
    this.busy = true;
    const started = performance.now();
    this.saving = this.save();
    const wrote = await this.saving;
    const ended = performance.now();
    if (wrote) this.restsUntil = ended + Math.max(REST_MS, (ended - started) * (1 / SHARE - 1));
    this.busy = false;
    const { wanted } = this;
    this.wanted = 'nothing';
    if (wanted === 'now') await this.now();
    else if (wanted === 'soon') this.soon();
  }

  private soon(): void {
    if (this.timer !== undefined) return;
    if (this.busy) {
      if (this.wanted === 'nothing') this.wanted = 'soon';
      return;
    }
    const rest = this.restsUntil - performance.now();
    if (rest <= 0) void this.now();
    else this.timer = setTimeout(() => void this.now(), rest);
  }

  /** Another training begins, or none; the one before is anybody's again. */
  private begin(isThere: boolean): void {
    const before = this.current;
    this.current = isThere ? (this.next ?? { id: freshId(), began: new Date().toISOString() }) : null;
    if (isThere) this.claimed = null;
    this.next = null;
    this.tooLarge = null;
    this.trouble.set('');
    this.notice.set('');
    // What waits belongs to the training before, and its workers are about to leave.
    clearTimeout(this.timer);
    this.timer = undefined;
    this.wanted = 'nothing';
    // Where that is refused, saving is refused too, and says so.
    if (this.current !== null) this.all.take(this.current.id).catch(() => {});
    if (before !== null) void this.leave(before.id);
  }

  /** Gives it back to all tabs, unless it is trained here. */
  private async leave(id: string): Promise<void> {
    await this.saving;
    if (id !== this.current?.id && id !== this.claimed) await this.all.release(id);
  }

  /** The user has freed these. Of one that goes on, the next checkpoint is kept again. */
  private forget(ids: readonly string[]): void {
    const { current } = this;
    if (current === null || !ids.includes(current.id)) return;
    this.saved = '';
    this.stored = null;
    if (this.keeping.experiment.locked) return;
    this.current = null;
    this.forgotten.add(current.id);
    void this.leave(current.id);
  }

  /** Answers whether it wrote something, or tried. */
  private async save(): Promise<boolean> {
    const { experiment } = this.keeping;
    const { current } = this;
    if (experiment.trained.value?.checkpointEvery === 0 || (experiment.metrics.value?.step ?? 0) === 0)
      return false;
    // At once, as long as everything belongs together.
    const taking = this.take(current);
    try {
      const [taken, vault] = await Promise.all([taking, this.all.vault]);
      if (vault === null) {
        this.trouble.set(
          'This browser keeps no files for this page (some refuse in private windows): a reload would end the training for good.',
        );
        return false;
      }
      if (taken === null || current === null) return false;
      const { training, parts, model } = taken;
      const { metrics: _, ...rest } = training;
      const state = JSON.stringify([current.id, rest]);
      if (state === this.saved) return false;
      await this.all.take(current.id);
      const words = await this.put(current.id, training, parts, model);
      this.saved = state;
      this.trouble.set(words);
    } catch (thrown) {
      const full = isFull(thrown);
      const cause = full ? 'this browser’s storage for the page is full' : wordsOf(thrown);
      const way = full ? 'Free some under Storage below' : 'Look under Storage below';
      this.trouble.set(
        `Training goes on, but its checkpoints are not kept over a reload: ${cause}. ${way}; the next checkpoint is tried again.`,
      );
    }
    return true;
  }

  /** What there is to keep, as it is at this moment; null before every worker has a checkpoint. */
  private async take(current: Current | null) {
    const { experiment } = this.keeping;
    const { lab, metrics, trained } = experiment;
    const [curves, config, taken] = [metrics.value, trained.value, this.keeping.take()];
    const trainees = lab.trainees.filter(({ checkpoint }) => checkpoint !== null);
    if (current === null || curves === null || config === null || taken === null) return null;
    if (trainees.length === 0 || trainees.length < lab.trainees.length) return null;
    const parts = new Map(taken.parts);
    const workers = trainees.map(({ runs, checkpoint, ended }, index) => {
      const { step = 0, bytes = new Uint8Array() } = checkpoint ?? {};
      parts.set(partNames.worker(index), new Blob([bytes as Uint8Array<ArrayBuffer>]));
      return { runs, step, ended };
    });
    const { bytes, ...packed } = packMetrics(curves, stepsOf(workers, curves));
    const { model, data } = taken;
    parts.set(partNames.metrics, new Blob([bytes]));
    parts.set(partNames.data, data.blob);
    const base: KeptTraining = {
      version: VERSION,
      began: current.began,
      step: Math.min(...workers.map(({ step }) => step)),
      steps: curves.steps,
      config: writeConfig(config),
      model: { name: model.name, catalog: model.catalog, files: [] },
      data: { name: data.name, bytes: data.blob.size, digest: '' },
      workers,
      metrics: packed,
    };
    const own = structuredClone(taken.own);
    // From here on the training goes on beside.
    base.data.digest = await digestOf(data.blob);
    base.model.files = await Promise.all(model.files.map(keptFile));
    return { training: { ...base, ...own } as Of, parts, model: model.keepFiles ? model.files : [] };
  }

  /** Writes it all, and where the model has no room, all but the model. Says what is missing. */
  private async put(
    id: string,
    training: Of,
    parts: Map<string, Blob>,
    model: readonly File[],
  ): Promise<string> {
    const size = model.reduce((sum, file) => sum + file.size, 0);
    const vault = await this.all.vault;
    if (this.stored === model || (this.tooLarge !== model && (await vault?.hasRoom(size)))) {
      try {
        const files = model.map((file, index) => [partNames.modelFile(index), file] as const);
        await this.write(id, training, new Map([...parts, ...files]));
        this.stored = model;
        return '';
      } catch (thrown) {
        if (size === 0 || !isFull(thrown)) throw thrown;
      }
    }
    this.stored = null;
    this.tooLarge = model;
    await this.write(id, training, parts);
    return 'The model’s files have no room in this browser’s storage: after a reload you are asked for them again.';
  }

  private async write(id: string, training: Of, parts: ReadonlyMap<string, Blob>): Promise<void> {
    if (this.forgotten.has(id)) return;
    const gone = await this.all.save(id, training, parts);
    if (gone.length === 0) return;
    const when = gone.map(({ content }) => dateWords(Date.parse(content.began))).join(', ');
    this.notice.set(`Only the newest ${MOST_KEPT} trainings are kept; the one of ${when} went.`);
  }
}

/** Ids in the order of their trainings: two tabs may begin at once, so the time alone would not do. */
function freshId(): string {
  const time = Date.now().toString(36).padStart(9, '0');
  return `${time}-${Math.random().toString(36).slice(2, 10)}`;
}
