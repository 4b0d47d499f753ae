import { checkConfig } from '../config/check';
import { type Config, sessionSettings } from '../config/config';
import { defaultConfig } from '../config/defaults';
import type { Problems } from '../config/problems';
import { Experiment } from '../experiment/experiment';
import type { Lab } from '../lab/lab';
import type { DataSource } from '../lab/language';
import { readyValue } from '../lab/loadable';
import type { KeptWorker } from '../lab/trainee';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import type { SessionSettings } from '../protocol';
import { batch, isSame, Signal } from '../signal';
import { ChosenColumns, columnWords } from './data/chosen-columns';
import { type Cut, cutOf, cutWords } from './data/cut';
import { columnsOf } from './data/data-columns';
import { SampleBook, type SampleGroup } from './samples/samples';
import { TokenLossBook } from './tokens/token-losses';

// A share of examples that do not fit, up to which a length is left as it is.
const MOST_CUT = 0.05;

/** A model or data that is here and waits for the end of a training. */
export interface Arrival {
  place: 'model' | 'data';
  name: string;
  use: () => void;
}

/** The experiment on a language model: text is learned, and samples and losses of tokens show it. */
export class App extends Experiment<Config, Lab> {
  readonly words = { data: 'data', units: 'Tokens' };
  readonly dataSource = new Signal<DataSource | null>(null);
  /** What is only measured on; null keeps a part of the data for that. */
  readonly validationSource = new Signal<DataSource | null>(null);
  /** Whether data settings were changed since the data was read. */
  readonly dataStale = new Signal<boolean>(false);
  /** What came while a training went on. */
  readonly arrival = new Signal<Arrival | null>(null);
  /** What became of columns that were chosen for another file. */
  readonly columnsNotice = new Signal<string>('');
  /** The sequence length that was set to suit the data, and what would be cut at the one before. */
  readonly lengthFollowed = new Signal<{ before: number; after: number; cut: Cut } | null>(null);
  /** What the user has chosen, whose lengths are not looked at yet. */
  private chosen: DataSource | null = null;
  private following: Promise<void> = Promise.resolve();
  private readonly chosenColumns = new ChosenColumns();
  /** The file whose columns are looked at. */
  private coming: DataSource | null = null;
  readonly samples: SampleBook;
  readonly tokenLosses: TokenLossBook;

  constructor(lab: Lab, config: Signal<Config>) {
    super(lab, config);
    this.samples = new SampleBook(lab);
    this.tokenLosses = new TokenLossBook(lab);
    // A model that is loaded again on another engine keeps its files, and writes the same.
    lab.model.subscribe(({ status }) => status === 'loading' && lab.modelFiles.length === 0 && this.clear());
    lab.data.subscribe(({ status }) => {
      const source = this.chosen;
      if (status !== 'ready' || source === null || source !== this.dataSource.value) return;
      this.chosen = null;
      this.following = this.followLength(source);
    });
  }

  override change(edit: (config: Config) => void): void {
    const before = this.config.value.data;
    batch(() => {
      super.change(edit);
      const changed = !isSame(this.config.value.data, before);
      if (changed && this.lab.data.value.status === 'ready') this.dataStale.set(true);
    });
  }

  /** Loads a model, or where a training goes on, offers it for later. */
  loadModel(files: File[], name: string): void {
    if (this.offered('model', name, () => this.loadModel(files, name))) return;
    void this.lab.loadModel(files);
  }

  /** Reads data that the user has just chosen; the sequence length follows it where that was nobody's choice yet. */
  async chooseData(source: DataSource): Promise<void> {
    this.chosen = source;
    this.lengthFollowed.set(null);
    await this.readData(source);
    await this.following;
  }

  /** Measures on a file of its own from now on, or with null on a part of the data. */
  async chooseValidation(source: DataSource | null): Promise<void> {
    if (this.locked) return;
    this.validationSource.set(source);
    await this.readData();
  }

  /** What of the data as it was read does not fit into the sequence length; null where all does. */
  get cut(): Cut | null {
    const statistics = readyValue(this.lab.data.value)?.statistics;
    const model = readyValue(this.lab.model.value);
    if (statistics === undefined || model === undefined || this.dataStale.value) return null;
    return cutOf(statistics, this.config.value.data.sequence_length, model.context_length);
  }

  /** Reads the data again with another sequence length. */
  async takeLength(length: number | null): Promise<boolean> {
    if (length === null) return false;
    this.lengthFollowed.set(null);
    this.change(({ data }) => Object.assign(data, { sequence_length: length }));
    return this.readData();
  }

  /** Where much is cut at the default length, takes a longer one if that fits into memory. */
  private async followLength(source: DataSource): Promise<void> {
    const { cut } = this;
    const before = this.config.value.data.sequence_length;
    if (before !== defaultConfig().data.sequence_length || cut === null || cut.proposed === null) return;
    if (cut.cut + cut.leftOut <= MOST_CUT) return;
    const after = cut.proposed;
    if (!(await this.takeLength(after)) || this.dataSource.value !== source) return;
    const estimate = await this.lab.estimate(this.settingsOf(this.config.value));
    if (this.dataSource.value !== source || this.config.value.data.sequence_length !== after) return;
    if (estimate.ok && estimate.value.fits && !estimate.value.tight) {
      this.lengthFollowed.set({ before, after, cut });
    } else await this.takeLength(before);
  }

  async readData(source: DataSource | null = this.dataSource.value): Promise<boolean> {
    if (source === null || this.offered('data', source.name, () => void this.readData(source))) return false;
    const { columns } = this.config.value.data;
    if (source !== this.dataSource.value && this.chosenColumns.isOpen(columns)) {
      if (!(await this.followColumns(source))) return false;
    }
    this.dataSource.set(source);
    this.dataStale.set(false);
    const settings = structuredClone(this.config.value.data);
    const answer = await this.lab.loadData(source, settings, this.validationSource.value);
    if (answer !== null && !answer.ok) this.showFailure(answer.failure);
    return answer?.ok ?? false;
  }

  /** Leaves the choice of columns with the file that it was made for; false where another file came meanwhile. */
  private async followColumns(source: DataSource): Promise<boolean> {
    this.coming = source;
    const { format, encoding } = this.config.value.data;
    const names = await columnsOf(source.blob, source.name, format, encoding);
    if (this.coming !== source) return false;
    const { columns: before } = this.config.value.data;
    const columns = this.chosenColumns.follow(before, names);
    if (columns !== before) this.change(({ data }) => Object.assign(data, { columns }));
    const left = before !== null && columns === null && names.length > 0;
    const words = left
      ? `${columnWords(before)} was chosen for other columns than those of ${source.name}.`
      : '';
    this.columnsNotice.set(words);
    return true;
  }

  override forgetTraining(): void {
    super.forgetTraining();
    this.clear();
  }

  /** Goes on with a training that was kept; model and data are loaded again already. */
  async goOnFrom(
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
    const series = runs.length === 0 ? [] : (this.metrics.value?.runs ?? []);
    const diverged = series.map(({ divergedAt }) => divergedAt);
    await this.samples.write({ ...sample, include_base: true }, step, runs, diverged);
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

  override get concern(): string {
    const { cut } = this;
    return cut === null ? '' : `${cutWords(cut)}; see Data.`;
  }

  protected get dataName(): string {
    return this.dataSource.value?.name ?? '';
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

  /** What was written belongs to a model that has gone, or to runs that have. */
  private clear(): void {
    this.samples.clear();
    this.tokenLosses.clear();
  }

  /** Whether something came while a training keeps its own: it is offered, and taken when the user says so. */
  private offered(place: Arrival['place'], name: string, use: () => void): boolean {
    const refused = this.lab.whyNot(place) !== undefined;
    if (refused || this.arrival.value?.place === place) {
      this.arrival.set(refused ? { place, name, use } : null);
    }
    return refused;
  }

  protected async onReady(): Promise<void> {
    if (!this.config.value.sampleAround) return;
    const stop = this.lab.phase.subscribe((phase) => phase === 'stopped' && this.lab.cancelSampling());
    await this.sample();
    stop();
  }

  protected async onOver(): Promise<void> {
    if (this.lab.phase.value === 'finished' && this.config.value.sampleAround) await this.sample();
  }
}
