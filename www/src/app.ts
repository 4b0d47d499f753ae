import { checkConfig, type Problems } from './config/check';
import { type Config, type RunConfig, sessionSettings } from './config/config';
import { startProblems } from './config/start';
import type { KeptWorker } from './lab/crew';
import type { LabEstimate } from './lab/estimate';
import type { Lab, LabListener } from './lab/lab';
import type { DataSource } from './lab/seat';
import type { TrainingPlan } from './lab/training';
import { ExperimentMetrics } from './metrics/experiment-metrics';
import type { Failure } from './protocol';
import { SampleBook, type SampleGroup } from './samples';
import { Signal } from './signal';
import { TokenLossBook } from './token-losses';

/** What is needed before Start, as the page shows it. */
export type EstimateState = LabEstimate | Failure | null;

const ESTIMATE_DELAY_MS = 250;

/** What the page is about, between the lab and what is drawn. Knows no DOM. */
export class App {
  readonly problems = new Signal<Problems>(new Map());
  readonly estimate = new Signal<EstimateState>(null);
  readonly dataSource = new Signal<DataSource | null>(null);
  /** Whether data settings were changed since the data was read. */
  readonly dataStale = new Signal<boolean>(false);
  readonly metrics = new Signal<ExperimentMetrics | null>(null);
  /** The runs of the training that is shown: the table may have changed since. */
  readonly trainedRuns = new Signal<readonly RunConfig[]>([]);
  /** What it began with. */
  readonly trained = new Signal<Config | null>(null);
  /** Counts checkpoints of its workers. */
  readonly checkpointed = new Signal<number>(0);
  /** A sweep uses the lab: nothing else may until it is over. */
  readonly sweeping = new Signal<boolean>(false);
  /** Counts whatever changes the curves. */
  readonly measured = new Signal<number>(0);
  readonly samples: SampleBook;
  readonly tokenLosses: TokenLossBook;
  private estimateTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly lab: Lab,
    readonly config: Signal<Config>,
  ) {
    this.samples = new SampleBook(lab);
    this.tokenLosses = new TokenLossBook(lab);
    lab.model.subscribe(({ status }) => {
      if (status !== 'loading') return;
      this.samples.clear();
      this.tokenLosses.clear();
    });
    config.watch((current) => {
      this.check(current);
      this.estimateSoon();
    });
    lab.startAdapter.subscribe(() => this.check(this.config.value));
    lab.data.subscribe(() => this.estimateSoon());
    lab.failure.subscribe((failure) => this.showFailure(failure));
    lab.phase.subscribe((phase) => {
      const metrics = this.metrics.value;
      if (phase === 'running' || phase === 'pausing') metrics?.pace.begin(performance.now());
      else metrics?.pace.pause();
      if (!this.locked) this.estimateSoon();
      this.touch();
    });
  }

  /** Changes a copy of the configuration and puts it in place. */
  change(edit: (config: Config) => void): void {
    const next = structuredClone(this.config.value);
    edit(next);
    const data = JSON.stringify(next.data) !== JSON.stringify(this.config.value.data);
    this.config.set(next);
    if (data && this.lab.data.value.status === 'ready') this.dataStale.set(true);
  }

  /** Whether settings may be changed now: a running training keeps those it began with. */
  get locked(): boolean {
    if (this.sweeping.value) return true;
    return ['preparing', 'running', 'pausing', 'paused'].includes(this.lab.phase.value);
  }

  async readData(source: DataSource | null = this.dataSource.value): Promise<boolean> {
    if (source === null) return false;
    this.dataSource.set(source);
    this.dataStale.set(false);
    const answer = await this.lab.loadData(source, structuredClone(this.config.value.data));
    if (answer !== null && !answer.ok) this.showFailure(answer.failure);
    return answer?.ok ?? false;
  }

  /** Trains from fresh adapters. `singleStep` pauses after the first. */
  async start(singleStep = false): Promise<void> {
    if (this.locked || this.problems.value.size > 0) return;
    if (this.dataStale.value && !(await this.readData())) return;
    const config = this.config.value;
    const metrics = new ExperimentMetrics(config.runs.length, config.session.steps);
    this.show(config, metrics);
    await this.lab.start(this.planOf(config), this.listenerOf(metrics), singleStep);
    await this.sampleAfter();
  }

  /** Goes on with a training that was kept; model and data are loaded again already. */
  async resume(
    config: Config,
    metrics: ExperimentMetrics,
    samples: readonly SampleGroup[],
    workers: readonly KeptWorker[],
  ): Promise<void> {
    this.show(config, metrics, samples);
    const before = metrics.step;
    const listener = { ...this.listenerOf(metrics), onReady: async () => {} };
    await this.lab.restore(this.planOf(config), workers, listener);
    if (metrics.step > before) await this.sampleAfter();
  }

  private show(config: Config, metrics: ExperimentMetrics, kept: readonly SampleGroup[] | null = null): void {
    this.metrics.set(metrics);
    this.trained.set(config);
    this.trainedRuns.set(structuredClone(config.runs));
    // Its worker is needed now.
    if (this.samples.writing.value) this.lab.cancelSampling();
    if (kept === null) this.samples.begin();
    else this.samples.goOn(kept);
  }

  private planOf(config: Config): TrainingPlan {
    const data = this.lab.data.value;
    const heldOut = data.status === 'ready' ? data.value.statistics.validation_examples : 0;
    return {
      settings: sessionSettings(config),
      validationEvery: heldOut > 0 ? config.validationEvery : 0,
      checkpointEvery: config.checkpointEvery,
    };
  }

  private listenerOf(metrics: ExperimentMetrics): LabListener {
    return {
      onStep: ({ runs }, report) => {
        metrics.recordStep(runs, report, performance.now(), this.lab.trainees.length);
        this.touch();
      },
      onEvaluation: ({ runs }, report) => {
        metrics.recordEvaluation(runs, report);
        this.touch();
      },
      onCheckpoint: () => this.checkpointed.set(this.checkpointed.value + 1),
      onReady: async () => {
        if (this.config.value.sampleAround) await this.sample();
      },
    };
  }

  private async sampleAfter(): Promise<void> {
    if (this.lab.phase.value === 'finished' && this.config.value.sampleAround) await this.sample();
  }

  /** Lets the base and all runs write now. */
  async sample(): Promise<void> {
    const { sample } = this.config.value;
    const { step, runs } = this.asked;
    await this.samples.write({ ...sample, include_base: true }, step, runs);
  }

  /** Measures the losses of the base and of all runs on a text, or with null on a held-out example. */
  async measureTokens(text: string | null, example: number): Promise<void> {
    const { step, runs } = this.asked;
    await this.tokenLosses.measure(text, example, step, runs);
  }

  /** The runs that can be asked now, and how far they are. */
  private get asked(): { step: number; runs: readonly RunConfig[] } {
    if (!this.lab.hasRuns) return { step: 0, runs: [] };
    return { step: this.metrics.value?.step ?? 0, runs: this.trainedRuns.value };
  }

  private check(config: Config): void {
    this.problems.set(
      new Map([...startProblems(config.session, this.lab.startAdapter.value), ...checkConfig(config)]),
    );
  }

  /** The lab trains something else: curves and adapters of the last training are gone. */
  forgetTraining(): void {
    this.metrics.set(null);
    this.trained.set(null);
    this.trainedRuns.set([]);
    this.samples.begin();
    this.touch();
  }

  private touch(): void {
    this.measured.set(this.measured.value + 1);
  }

  private showFailure(failure: Failure | null): void {
    // Runs of a sweep are not those of the table.
    if (failure === null || failure.field === null || this.sweeping.value) return;
    this.problems.set(new Map([...this.problems.value, [failure.field, failure.message]]));
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
    if (checkConfig(config.value).size > 0) return;
    const answer = await lab.estimate(sessionSettings(config.value));
    this.estimate.set(answer.ok ? answer.value : answer.failure);
    if (!answer.ok) this.showFailure(answer.failure);
  }
}
