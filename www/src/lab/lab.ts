import type { AdapterFiles } from '../engine/worker-api';
import type {
  DataSettings,
  DataSummary,
  Failure,
  MethodSummary,
  ModelSummary,
  SamplePiece,
  SampleSettings,
  SweepQuestion,
  TokenLossReport,
  TokenLossSettings,
} from '../protocol';
import type { Result } from '../result';
import type { Machine } from './estimate';
import { type DataSource, language, type TextData } from './language';
import { sampleAll } from './sampling';
import { tokenLossesOfAll } from './token-losses';
import type { Trainee } from './training';
import { TrainingLab } from './training-lab';
import type { SpawnWorker } from './worker-link';

export type { LabListener, LabPhase, StartAdapter } from './training-lab';

/** The lab of language models: what the page can ask for, and what it can know. Knows no DOM. */
export class Lab extends TrainingLab<ModelSummary, TextData, DataSummary, AdapterFiles> {
  constructor(spawn: SpawnWorker, machine: Machine) {
    super(spawn, machine, language);
  }

  /** Reads data with these settings; before there is a model, remembers them. */
  loadData(source: DataSource, settings: DataSettings): Promise<Result<DataSummary> | null> {
    return this.useData({ source, settings });
  }

  /** Lets the base and all runs write, with the adapters as they are now. */
  async sample(settings: SampleSettings, onPiece: (piece: SamplePiece) => void): Promise<Result<null>> {
    const recover = (trainee: Trainee, failure: Failure) => this.crew.recover(trainee, failure);
    if (this.hasRuns) return sampleAll(this.crew.trainees, settings, onPiece, recover);
    return this.askBase((api) => api.sample({ ...settings, include_base: true }, onPiece));
  }

  cancelSampling(): void {
    this.crew.cancel();
  }

  /** How well the base and all runs predict each token of a text. */
  async tokenLosses(settings: TokenLossSettings): Promise<Result<TokenLossReport>> {
    const recover = (trainee: Trainee, failure: Failure) => this.crew.recover(trainee, failure);
    if (this.hasRuns) return tokenLossesOfAll(this.crew.trainees, settings, recover);
    return this.askBase((api) => api.tokenLosses({ ...settings, include_base: true }));
  }

  /** How each method of a sweep did; the formulas are the engine's. */
  async summariseSweep(question: SweepQuestion): Promise<Result<MethodSummary[]>> {
    const started = await this.crew.startEngine();
    return started.ok ? this.crew.first.call((api) => api.summariseSweep(question)) : started;
  }
}
