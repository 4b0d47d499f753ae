import { checkConfig, type Problems } from '../config/check';
import { type Config, sessionSettings } from '../config/config';
import { Experiment } from '../experiment/experiment';
import type { KeptWorker } from '../lab/crew';
import type { Lab } from '../lab/lab';
import type { DataSource } from '../lab/language';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import type { SessionSettings } from '../protocol';
import { Signal } from '../signal';
import { SampleBook, type SampleGroup } from './samples/samples';
import { TokenLossBook } from './tokens/token-losses';

/** The experiment on a language model: text is learned, and samples and losses of tokens show it. */
export class App extends Experiment<Config, Lab> {
  readonly words = { data: 'data', units: 'Tokens' };
  readonly dataSource = new Signal<DataSource | null>(null);
  /** Whether data settings were changed since the data was read. */
  readonly dataStale = new Signal<boolean>(false);
  readonly samples: SampleBook;
  readonly tokenLosses: TokenLossBook;

  constructor(lab: Lab, config: Signal<Config>) {
    super(lab, config);
    this.samples = new SampleBook(lab);
    this.tokenLosses = new TokenLossBook(lab);
    lab.model.subscribe(({ status }) => {
      if (status !== 'loading') return;
      this.samples.clear();
      this.tokenLosses.clear();
    });
  }

  override change(edit: (config: Config) => void): void {
    const before = JSON.stringify(this.config.value.data);
    super.change(edit);
    const data = JSON.stringify(this.config.value.data) !== before;
    if (data && this.lab.data.value.status === 'ready') this.dataStale.set(true);
  }

  async readData(source: DataSource | null = this.dataSource.value): Promise<boolean> {
    if (source === null) return false;
    this.dataSource.set(source);
    this.dataStale.set(false);
    const answer = await this.lab.loadData(source, structuredClone(this.config.value.data));
    if (answer !== null && !answer.ok) this.showFailure(answer.failure);
    return answer?.ok ?? false;
  }

  /** Goes on with a training that was kept; model and data are loaded again already. */
  async resume(
    config: Config,
    metrics: ExperimentMetrics,
    samples: readonly SampleGroup[],
    workers: readonly KeptWorker[],
  ): Promise<void> {
    this.samples.goOn(samples);
    await this.goOn(config, metrics, workers);
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

  protected problemsOf(config: Config): Problems {
    return checkConfig(config);
  }

  protected settingsOf(config: Config): SessionSettings {
    return sessionSettings(config);
  }

  protected get hasValidation(): boolean {
    const data = this.lab.data.value;
    return data.status === 'ready' && data.value.statistics.validation_examples > 0;
  }

  protected override beforeStart(): boolean | Promise<boolean> {
    return !this.dataStale.value || this.readData();
  }

  protected begun(goesOn: boolean): void {
    // Its worker is needed now.
    if (this.samples.writing.value) this.lab.cancelSampling();
    if (!goesOn) this.samples.begin();
  }

  protected async onReady(): Promise<void> {
    if (this.config.value.sampleAround) await this.sample();
  }

  protected async onOver(): Promise<void> {
    if (this.lab.phase.value === 'finished' && this.config.value.sampleAround) await this.sample();
  }
}
