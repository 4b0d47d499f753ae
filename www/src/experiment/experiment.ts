import type { RunConfig, SharedConfig } from '../config/config';
import type { Problems } from '../config/problems';
import type { LabEstimate } from '../lab/estimate';
import type { LabListener } from '../lab/lab';
import type { KeptWorker, Trainee } from '../lab/trainee';
import type { TrainingPlan } from '../lab/training';
import type { TrainingLab } from '../lab/training-lab';
import { ExperimentMetrics } from '../metrics/experiment-metrics';
import type { Failure, SessionSettings, TargetShape } from '../protocol';
import { batch, Computed, type Readable, Signal } from '../signal';
import { type ShownRun, shownRuns } from './comparison/shown-runs';
import { startProblems } from './start';

/** What is needed before Start, as the page shows it. */
export type EstimateState = LabEstimate | Failure | null;

/** A lab as far as it does not matter what is learned. */
export type AnyLab = TrainingLab<{ targets: TargetShape[] }, unknown, unknown, { name: string }>;

const ESTIMATE_DELAY_MS = 250;

/** A training whose adapters can leave, and what belongs to it. */
export interface Exportable<Config> {
  config: Config;
  metrics: ExperimentMetrics;
  runs: readonly RunConfig[];
  /** Name of the data. */
  data: string;
  /** The files of the model. */
  files: readonly File[];
  /** Whether it is the one whose curves are shown. */
  isShown: boolean;
}

/** What two experiments call differently. */
export interface ExperimentWords {
  /** What is learned from: `data`. */
  data: string;
  /** What steps are made of, with a capital: `Tokens`. */
  units: string;
}

/**
 * Runs that are trained beside each other, between the lab and what is drawn: settings, what is wrong with them, curves.
 * What is learned from, and what shows that it was learned, is the business of those who extend it. Knows no DOM.
 */
export abstract class Experiment<Config extends SharedConfig = SharedConfig, Own extends AnyLab = AnyLab> {
  readonly problems: Readable<Problems>;
  readonly estimate = new Signal<EstimateState>(null);
  readonly metrics = new Signal<ExperimentMetrics | null>(null);
  /** The runs of the training that is shown: the table may have changed since. */
  readonly trainedRuns = new Signal<readonly RunConfig[]>([]);
  /** What it began with. */
  readonly trained = new Signal<Config | null>(null);
  /** What can leave the page: the training that is shown, or the one before it where its model or data have gone. */
  readonly exportable = new Signal<Exportable<Config> | null>(null);
  /** Counts checkpoints of its workers. */
  readonly checkpointed = new Signal<number>(0);
  /** A sweep uses the lab: nothing else may until it is over. */
  readonly sweeping = new Signal<boolean>(false);
  /** Counts whatever changes the curves. */
  readonly measured = new Signal<number>(0);
  /** What the engine refused, and with which settings. */
  private readonly refused = new Signal<{ config: Config; failure: Failure } | null>(null);
  private estimateTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly lab: Own,
    readonly config: Signal<Config>,
    /** What is wrong with what is no setting. */
    others: Readable<Problems> = new Signal(new Map()),
  ) {
    this.problems = new Computed(
      [config, lab.startAdapter, others, this.refused],
      (current, start, beside, refused): Problems => {
        const found = [startProblems(current.session, start), beside, this.problemsOf(current)];
        const problems: Problems = new Map(found.flatMap((some) => [...some]));
        const { field = null, message = '' } = refused?.config === current ? refused.failure : {};
        return field === null ? problems : problems.set(field, message);
      },
    );
    this.estimateSoon();
    config.subscribeTo(
      // How curves are drawn takes no memory.
      ({ view: _, ...settings }) => settings,
      () => this.estimateSoon(),
    );
    lab.startAdapter.subscribe(() => this.refused.set(null));
    lab.data.subscribe(() => this.estimateSoon());
    lab.failure.subscribe((failure) => this.showFailure(failure));
    lab.phase.subscribe((phase) => {
      if (phase === 'idle') this.setAside();
      const metrics = this.metrics.value;
      if (phase === 'running' || phase === 'pausing') metrics?.pace.begin(performance.now());
      else metrics?.pace.pause();
      if (!this.locked) this.estimateSoon();
      this.touch();
    });
  }

  abstract readonly words: ExperimentWords;

  /** The id of an element that every experiment has: the views of all stand in one page. */
  id(name: string): string {
    return name;
  }

  /** What is wrong with the settings, as far as that is known without the engine. */
  protected abstract problemsOf(config: Config): Problems;

  /** The settings as the engine wants them. */
  protected abstract settingsOf(config: Config): SessionSettings;

  /** Whether there is held-out data to measure a validation loss on. */
  protected abstract get hasValidation(): boolean;

  /** The last chance to bring data up to date; false where there is nothing to train on. */
  protected beforeStart(): boolean | Promise<boolean> {
    return true;
  }

  /** Curves are those of a new training, or of one that goes on. */
  protected abstract begun(goesOn: boolean): void;

  /** Workers are ready for the first step. */
  protected abstract onReady(): Promise<void>;

  /** A worker has done a step; what it is asked now, it is asked before its next one. */
  protected onStep(_trainee: Trainee, _step: number): void {}

  /** No more steps will come. */
  protected abstract onOver(): Promise<void>;

  /** What is to be known before Start though it keeps nothing from starting; empty where there is nothing. */
  get concern(): string {
    return '';
  }

  /** What the data is called that is trained on. */
  protected abstract get dataName(): string;

  /** Changes the configuration: parts that `edit` leaves alone stay the objects that they are. */
  change(edit: (config: Config) => void): void {
    this.config.edit(edit);
  }

  /** Whether settings may be changed now: a running training keeps those it began with. */
  get locked(): boolean {
    if (this.sweeping.value) return true;
    return ['preparing', 'running', 'pausing', 'paused'].includes(this.lab.phase.value);
  }

  /** Trains from fresh adapters. `singleStep` pauses after the first. */
  async start(singleStep = false): Promise<void> {
    if (this.locked || this.problems.value.size > 0) return;
    const ready = this.beforeStart();
    // Without a pause where there is none to make: nobody else may start in between.
    if (ready !== true && (!(await ready) || this.locked)) return;
    if (this.lab.whyNot('start') !== undefined) return;
    const config = this.config.value;
    const metrics = new ExperimentMetrics(config.runs.length, config.session.steps);
    this.show(config, metrics, false);
    await this.lab.start(this.planOf(config), this.listenerOf(metrics), singleStep);
    await this.onOver();
  }

  /** Goes on with a training that was kept; model and data are loaded again already. */
  protected async goOn(
    config: Config,
    metrics: ExperimentMetrics,
    workers: readonly KeptWorker[],
  ): Promise<void> {
    this.show(config, metrics, true);
    const before = metrics.step;
    const listener = { ...this.listenerOf(metrics), onReady: async () => {} };
    await this.lab.restore(this.planOf(config), workers, listener);
    if (metrics.step > before) await this.onOver();
  }

  private show(config: Config, metrics: ExperimentMetrics, goesOn: boolean): void {
    const { runs } = config;
    const { modelFiles } = this.lab;
    batch(() => {
      this.metrics.set(metrics);
      this.trained.set(config);
      this.exportable.set({ config, metrics, runs, data: this.dataName, files: modelFiles, isShown: true });
      this.trainedRuns.set(runs);
      this.begun(goesOn);
    });
  }

  private planOf(config: Config): TrainingPlan {
    return {
      settings: this.settingsOf(config),
      validationEvery: this.hasValidation ? config.validationEvery : 0,
      checkpointEvery: config.checkpointEvery,
    };
  }

  private listenerOf(metrics: ExperimentMetrics): LabListener {
    return {
      onStep: (trainee, report) => {
        metrics.recordStep(trainee.runs, report, performance.now(), this.lab.trainees.length);
        // The last step of a training that was stopped may come when the next one has begun.
        if (this.metrics.value === metrics) this.onStep(trainee, report.step);
        this.touch();
      },
      onEvaluation: ({ runs }, report) => {
        metrics.recordEvaluation(runs, report);
        this.touch();
      },
      onCheckpoint: () => this.checkpointed.set(this.checkpointed.value + 1),
      onReady: () => this.onReady(),
    };
  }

  /** The runs that have curves now. */
  get shownRuns(): ShownRun[] {
    const metrics = this.metrics.value;
    return metrics === null ? [] : shownRuns(this.trainedRuns.value, metrics, this.config.value.view);
  }

  /** Which layers of a block the training that is shown adapts: of those that were asked for, those that its model has. */
  get trainedTargets(): readonly string[] {
    const model = this.lab.model.value;
    const there = model.status === 'ready' ? model.value.targets.map(({ target }) => target) : null;
    const targets = this.trained.value?.session.targets ?? [];
    return there === null ? targets : targets.filter((target) => there.includes(target));
  }

  /** The runs that can be asked now, and how far they are. */
  protected get asked(): { step: number; runs: readonly RunConfig[] } {
    if (!this.lab.hasRuns) return { step: 0, runs: [] };
    return { step: this.metrics.value?.step ?? 0, runs: this.trainedRuns.value };
  }

  /** Another model or other data: what was learned is no longer shown, and can still leave. */
  private setAside(): void {
    if (this.metrics.value === null) return;
    const { exportable } = this;
    const before = exportable.value;
    this.forgetTraining();
    if (before !== null && this.lab.hasBefore) exportable.set({ ...before, isShown: false });
  }

  /** The lab trains something else: curves and adapters of the last training are gone. */
  forgetTraining(): void {
    batch(() => {
      this.exportable.set(null);
      this.metrics.set(null);
      this.trained.set(null);
      this.trainedRuns.set([]);
      this.begun(false);
      this.touch();
    });
  }

  private touch(): void {
    this.measured.set(this.measured.value + 1);
  }

  protected showFailure(failure: Failure | null): void {
    // Runs of a sweep are not those of the table.
    if (failure === null || failure.field === null || this.sweeping.value) return;
    this.refused.set({ config: this.config.value, failure });
  }

  private estimateSoon(): void {
    clearTimeout(this.estimateTimer);
    this.estimateTimer = setTimeout(() => void this.estimateNow(), ESTIMATE_DELAY_MS);
  }

  private async estimateNow(): Promise<void> {
    const { lab, config } = this;
    if (this.locked) return;
    if (lab.model.value.status !== 'ready' || lab.data.value.status !== 'ready') {
      this.estimate.set(null);
      return;
    }
    if (this.problemsOf(config.value).size > 0) return;
    const answer = await lab.estimate(this.settingsOf(config.value));
    this.estimate.set(answer.ok ? answer.value : answer.failure);
    if (!answer.ok) this.showFailure(answer.failure);
  }
}
