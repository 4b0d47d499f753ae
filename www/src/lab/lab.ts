import type { AdapterFiles } from '../engine/worker-api';
import type {
  DataSettings,
  DataSummary,
  MethodSummary,
  ModelSummary,
  SamplePiece,
  SampleSettings,
  SweepQuestion,
  TokenLossReport,
  TokenLossSettings,
} from '../protocol';
import { type Result, success } from '../result';
import type { Machine } from './budget';
import { type DataSource, language, type TextData } from './language';
import { sampleAll } from './sampling';
import { tokenLossesOfAll } from './token-losses';
import { type LabOptions, TrainingLab } from './training-lab';
import type { SpawnWorker } from './worker-link';

export type { LabPhase } from './state';
export type { LabListener, StartAdapter } from './training-lab';

/** The lab of language models: what the page can ask for, and what it can know. Knows no DOM. */
export class Lab extends TrainingLab<ModelSummary, TextData, DataSummary, AdapterFiles> {
  private readonly writing = new Set<AbortController>();

  constructor(spawn: SpawnWorker, machine: Machine, options: LabOptions = {}) {
    super(spawn, machine, language, options);
  }

  /** Reads data with these settings; before there is a model, remembers them. */
  loadData(
    source: DataSource,
    settings: DataSettings,
    validation: DataSource | null = null,
  ): Promise<Result<DataSummary> | null> {
    return this.useData({ source, validation, settings });
  }

  /** Lets the base and all runs write, with the adapters as they are now. */
  async sample(settings: SampleSettings, onPiece: (piece: SamplePiece) => void): Promise<Result<null>> {
    const controller = new AbortController();
    const { signal } = controller;
    this.writing.add(controller);
    const { team } = this.crew;
    const answer =
      team !== null && this.hasRuns
        ? await sampleAll(team, settings, onPiece, signal)
        : await this.askWorker((api) => api.sample({ ...settings, include_base: true }, onPiece), signal);
    this.writing.delete(controller);
    // What was written so far is an answer.
    return signal.aborted ? success(null) : answer;
  }

  /** Ends all writing, and nothing else that workers do. */
  cancelSampling(): void {
    for (const controller of this.writing) controller.abort();
  }

  /** How well the base and all runs predict each token of a text. */
  async tokenLosses(settings: TokenLossSettings): Promise<Result<TokenLossReport>> {
    const { team } = this.crew;
    if (team !== null && this.hasRuns) return tokenLossesOfAll(team, settings);
    return this.askWorker((api) => api.tokenLosses({ ...settings, include_base: true }));
  }

  /** How each method of a sweep did; the formulas are the engine's. */
  async summariseSweep(question: SweepQuestion): Promise<Result<MethodSummary[]>> {
    return this.askFirst(async (seat) => {
      const started = await seat.startEngine();
      return started.ok ? seat.call((api) => api.summariseSweep(question)) : started;
    });
  }
}
