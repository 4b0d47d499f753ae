import type { Problems } from '../config/problems';
import type { LabPhase } from '../lab/lab';
import { readyValue } from '../lab/loadable';
import type { App } from '../language/app';
import { ExperimentMetrics } from '../metrics/experiment-metrics';
import { thin, thinPoints } from '../metrics/thin';
import type { Failure, SessionSettings } from '../protocol';
import { failed, type Result, success } from '../result';
import type { RunBook } from '../runs/book';
import { recordOf } from '../runs/record';
import { contextOf } from '../runs/recorder';
import { Computed, type Readable, Signal } from '../signal';
import type { BrowserTabs } from '../store/browser-tabs';
import { plural } from '../words/numbers';
import type { SweepBook } from './book';
import { checkSweep } from './check';
import type { SweepConfig } from './config';
import { banksOf, largestFitting, type Point, pendingPoints, pointName, seedOf, wantedPoints } from './plan';
import { PointLocks } from './point-locks';
import { basisOf, keyOf, newRecord, type SweepBasis, type SweepRecord, type SweptRun } from './record';
import { type OpenedResults, openResults } from './results-file';

/** What a sweep is doing. */
export type SweepPhase =
  | 'idle'
  | 'planning'
  | 'preparing'
  | 'running'
  | 'pausing'
  | 'paused'
  | 'finished'
  | 'stopped'
  | 'failed';

/** Runs that are being trained together. */
export interface Bank {
  points: readonly Point[];
  metrics: ExperimentMetrics;
}

/** How far a sweep is. */
export interface SweepProgress {
  /** Steps of all runs. */
  done: number;
  total: number;
  runsDone: number;
  runs: number;
  /** The bank that is trained, from 1. */
  bank: number;
  banks: number;
  /** Seconds; null before they are known. */
  remaining: number | null;
}

// The engine's own limit; estimates ask for no more.
const MOST_IN_BANK = 64;

/** Trains methods over values with the lab, bank after bank. Knows no DOM. */
export class Sweep {
  readonly phase = new Signal<SweepPhase>('idle');
  readonly problems: Readable<Problems>;
  readonly failure = new Signal<Failure | null>(null);
  /** The sweep that is shown: the one of the settings of now, else the one that was trained last. */
  readonly shown = new Signal<SweepRecord | null>(null);
  /** Counts whatever changes the curves. */
  readonly measured = new Signal<number>(0);
  /** What is being trained. */
  bank: Bank | null = null;
  /** The sweep of a file that was opened, until something else is asked for. */
  private opened: string | null = null;
  private banks: Point[][] = [];
  private bankIndex = 0;
  private pauseWanted = false;
  private stopWanted = false;
  private secondsPerStep: number | null = null;

  constructor(
    readonly app: App,
    readonly config: Signal<SweepConfig>,
    readonly book: SweepBook,
    private readonly runs: RunBook,
    private readonly tabs: BrowserTabs,
  ) {
    this.problems = new Computed([config], checkSweep);
    const chooseAnew = () => {
      this.opened = null;
      this.choose();
    };
    config.watch(chooseAnew);
    for (const signal of [app.config, app.dataSource, app.lab.model, app.lab.data, app.lab.startAdapter])
      signal.subscribe(chooseAnew);
    book.sweeps.subscribe(() => this.choose());
    app.lab.phase.subscribe((phase) => this.follow(phase));
  }

  /** Changes the settings: parts that `edit` leaves alone stay the objects that they are. */
  change(edit: (config: SweepConfig) => void): void {
    this.config.edit(edit);
  }

  get active(): boolean {
    return ['planning', 'preparing', 'running', 'pausing', 'paused'].includes(this.phase.value);
  }

  /** The key of a sweep with the settings of now; undefined without model or data. */
  get key(): string | undefined {
    const basis = basisOf(this.app, this.config.value.quantity);
    return basis === undefined ? undefined : keyOf(basis);
  }

  /** All points that are asked for. */
  get wanted(): Point[] {
    const { session } = this.app.config.value;
    return wantedPoints(this.config.value, session.steps, session.rank);
  }

  /** Those without a result; all of them where nothing was trained with the settings of now. */
  get pending(): Point[] {
    const { key } = this;
    return pendingPoints(this.wanted, key === undefined ? [] : (this.book.find(key)?.results ?? []));
  }

  /** Why it cannot start, with what to do; empty where it can. */
  get whyNot(): string {
    const { lab, problems, sweeping } = this.app;
    if (sweeping.value) return '';
    if (this.app.locked) return 'A training of the Language tab uses the engine. Stop it, or let it finish.';
    if (lab.engineReport.value.status === 'failed') return 'The engine did not start.';
    if (lab.model.value.status === 'loading') return 'The model is loading.';
    if (lab.data.value.status === 'loading') return 'The data is being read.';
    if (lab.model.value.status !== 'ready') return 'Load a model in the Language tab first.';
    const data = readyValue(lab.data.value);
    if (data === undefined) return 'Choose data in the Language tab first.';
    if (data.statistics.validation_examples === 0)
      return 'No examples are held out, and a sweep is judged by them. Set Validation examples in the Language tab.';
    // Runs of the table take no part.
    const wrong = [...problems.value.keys()].filter((field) => !field.startsWith('runs')).length;
    if (wrong > 0) return `${plural(wrong, 'setting')} of the Language tab must be mended first.`;
    const own = this.problems.value.size;
    if (own > 0) return `${plural(own, 'setting needs', 'settings need')} attention; see the marked fields.`;
    return this.pending.length === 0
      ? 'All of these runs are there. Add values or methods to train more.'
      : '';
  }

  get progress(): SweepProgress {
    const { steps } = this.app.config.value.session;
    const sizes = this.banks.map((bank) => bank.length);
    const runsDone = sum(sizes.slice(0, this.bankIndex));
    const step = this.bank?.metrics.step ?? 0;
    const runs = sum(sizes);
    const stepsLeft = (this.banks.length - this.bankIndex) * steps - step;
    const pace = this.bank?.metrics.pace.secondsPerStep ?? this.secondsPerStep;
    return {
      done: runsDone * steps + step * (sizes[this.bankIndex] ?? 0),
      total: runs * steps,
      runsDone,
      runs,
      bank: Math.min(this.bankIndex + 1, this.banks.length),
      banks: this.banks.length,
      remaining: pace === null ? null : pace * Math.max(0, stepsLeft),
    };
  }

  /** Trains what has no result yet. Resolves when that is over. */
  async start(): Promise<void> {
    const { app } = this;
    if (this.active || this.whyNot !== '') return;
    app.sweeping.set(true);
    this.opened = null;
    app.forgetTraining();
    Object.assign(this, { pauseWanted: false, stopWanted: false, banks: [], bankIndex: 0 });
    this.failure.set(null);
    this.phase.set('planning');
    const answer = await this.trainPending();
    this.bank = null;
    this.secondsPerStep = null;
    app.sweeping.set(false);
    // Now the lab tells its phase, and whoever listens finds it free.
    app.lab.release();
    this.failure.set(answer.ok ? null : answer.failure);
    this.phase.set(this.stopWanted ? 'stopped' : answer.ok ? 'finished' : 'failed');
    this.touch();
  }

  pause(): void {
    this.pauseWanted = true;
    this.app.lab.pause();
    if (this.phase.value === 'preparing' || this.phase.value === 'planning') this.phase.set('pausing');
  }

  resume(): void {
    this.pauseWanted = false;
    const { phase } = this.app.lab;
    this.app.lab.resume();
    if (phase.value === 'preparing') this.phase.set('preparing');
  }

  stop(): void {
    this.stopWanted = true;
    this.app.lab.stop();
    this.touch();
  }

  /** Whether it ends as soon as the workers have answered. */
  get stopping(): boolean {
    return this.active && this.stopWanted;
  }

  /** Forgets the results that are shown, and answers them for `book.put`; their runs stay in the book of runs. */
  async forget(): Promise<SweepRecord | null> {
    const { value } = this.shown;
    return value === null || this.active ? null : this.book.remove(value.key);
  }

  /** Adds the results of a file, and shows the sweep that they are of until the settings are changed. */
  async openResults(file: File): Promise<Result<OpenedResults>> {
    const opened = await openResults(file, this.book, this.runs);
    if (!opened.ok) return opened;
    const { key, basis } = opened.value.sweep;
    if (basis.quantity !== this.config.value.quantity && !this.active) {
      this.change((config) => {
        config.quantity = basis.quantity;
      });
    }
    this.opened = key;
    this.choose();
    return opened;
  }

  private async trainPending(): Promise<Result<null>> {
    const { app } = this;
    if (app.dataStale.value && !(await app.readData()))
      return failed('sweep', 'The data could not be read again; see Data in the Language tab.');
    const basis = basisOf(app, this.config.value.quantity);
    if (basis === undefined) return failed('sweep', 'Load a model and data in the Language tab first.');
    const own = new PointLocks(this.tabs, keyOf(basis));
    try {
      return await this.trainOwn(basis, own);
    } finally {
      own.release();
    }
  }

  /** Trains what no other tab trains at the moment. */
  private async trainOwn(basis: SweepBasis, own: PointLocks): Promise<Result<null>> {
    const { app } = this;
    const wanted = this.pending;
    const taken = await own.take(wanted);
    // What another tab has finished meanwhile is there now.
    await this.book.open();
    const points = pendingPoints(taken, this.book.find(keyOf(basis))?.results ?? []);
    const elsewhere = wanted.length - taken.length;
    const busy = `Another tab trains ${elsewhere === wanted.length ? 'these runs' : plural(elsewhere, 'run')} of this sweep; their results appear here too.`;
    if (points.length === 0 && elsewhere > 0) return failed('sweep', busy);
    this.book.notice.set(elsewhere > 0 ? busy : '');
    app.lab.reserve();
    const planned = await this.planBanks(points);
    if (!planned.ok) return planned;
    this.banks = planned.value;
    for (const [index, points] of this.banks.entries()) {
      if (this.stopWanted) break;
      this.bankIndex = index;
      const trained = await this.train(points);
      if (this.stopWanted) break;
      if (!trained.ok) return trained;
      await this.book.put({ ...newRecord(basis), ...trained.value, when: Date.now() });
      this.bankIndex = index + 1;
    }
    return success(null);
  }

  /** Banks as large as memory allows. */
  private async planBanks(pending: readonly Point[]): Promise<Result<Point[][]>> {
    const capacities = new Map<number, number>();
    let failure: Failure | null = null;
    for (const rank of new Set(pending.map((point) => point.rank))) {
      const own = pending.filter((point) => point.rank === rank);
      const most = Math.min(own.length, MOST_IN_BANK);
      const capacity = await largestFitting(most, async (count) => {
        const answer = await this.app.lab.estimate(this.settingsOf(own.slice(0, count)));
        if (!answer.ok) {
          failure = answer.failure;
          return false;
        }
        // One run that is tight is the user's choice, as it is in the Language tab.
        const { fits, tight, advice } = answer.value;
        if (!fits && count === 1) failure = { place: 'sweep', field: null, message: advice };
        return fits && (count === 1 || !tight);
      });
      if (capacity === 0) return { ok: false, failure: failure ?? noRoom };
      capacities.set(rank, capacity);
    }
    return success(banksOf(pending, (rank) => capacities.get(rank) ?? 1));
  }

  private settingsOf(points: readonly Point[]): SessionSettings {
    const { session } = this.app.config.value;
    const runs = points.map((point) => ({
      name: pointName(point, this.config.value.quantity),
      optimizer: point.optimizer,
    }));
    const [first] = points;
    return {
      ...session,
      rank: first?.rank ?? session.rank,
      seed: seedOf(session.seed, first?.repeat ?? 0),
      diagnostics: false,
      runs,
    };
  }

  /** Trains one bank to its end. */
  private async train(
    points: readonly Point[],
  ): Promise<Result<{ baseLoss: number | null; results: SweptRun[] }>> {
    const { lab, config } = this.app;
    const settings = this.settingsOf(points);
    const metrics = new ExperimentMetrics(points.length, settings.steps);
    this.bank = { points, metrics };
    await lab.start(
      {
        settings,
        // It is measured at step 0 as well: that is the loss of the base.
        validationEvery: this.config.value.validationEvery || settings.steps,
        checkpointEvery: config.value.checkpointEvery,
      },
      {
        onStep: ({ runs }, report) => {
          metrics.recordStep(runs, report, performance.now(), lab.trainees.length);
          this.touch();
        },
        onEvaluation: ({ runs }, report) => metrics.recordEvaluation(runs, report),
        onReady: async () => {},
      },
    );
    this.secondsPerStep = metrics.pace.secondsPerStep ?? this.secondsPerStep;
    if (lab.phase.value !== 'finished')
      return { ok: false, failure: lab.failure.value ?? { ...noRoom, message: 'The training ended early.' } };
    await this.keepRuns(settings, metrics);
    const first = metrics.runs.map(({ validation }) => validation[0]).find((point) => point?.step === 0);
    return success({
      baseLoss: first?.loss ?? null,
      results: points.map(({ method, value, lr, repeat }, index): SweptRun => {
        const run = metrics.runs[index];
        const { loss = null } = run?.lastValidation ?? {};
        return {
          method,
          value,
          lr,
          repeat,
          validationLoss: run?.divergedAt === null ? loss : null,
          divergedAt: run?.divergedAt ?? null,
          curve: thin(run?.losses ?? []),
          validation: thinPoints(run?.validation ?? []),
        };
      }),
    });
  }

  private async keepRuns({ runs, rank, seed }: SessionSettings, metrics: ExperimentMetrics): Promise<void> {
    const context = contextOf(this.app, 'sweep');
    if (context === undefined) return;
    const when = Date.now();
    const own = {
      ...context,
      session: { ...context.session, rank, seed, diagnostics: false },
    };
    const records = runs.flatMap((run, index) => {
      const series = metrics.runs[index];
      return series === undefined ? [] : (recordOf(run, series, own, when) ?? []);
    });
    await this.runs.add(records);
  }

  /** The lab's phase is the sweep's while a bank is trained. */
  private follow(phase: LabPhase): void {
    this.touch();
    if (!this.app.sweeping.value) return;
    const { pace } = this.bank?.metrics ?? {};
    if (phase === 'running' || phase === 'pausing') pace?.begin(performance.now());
    else pace?.pause();
    if (phase === 'preparing') this.phase.set(this.pauseWanted ? 'pausing' : 'preparing');
    if (phase === 'running' || phase === 'pausing' || phase === 'paused') this.phase.set(phase);
    // Asked for while the bank was made ready.
    if (phase === 'running' && this.pauseWanted) this.app.lab.pause();
  }

  private choose(): void {
    const { key } = this;
    const { quantity } = this.config.value;
    const opened = this.opened === null ? undefined : this.book.find(this.opened);
    const own = opened ?? (key === undefined ? undefined : this.book.find(key));
    const last = this.book.sweeps.value.find(({ basis }) => basis.quantity === quantity);
    this.shown.set(own ?? last ?? null);
    this.touch();
  }

  private touch(): void {
    this.measured.set(this.measured.value + 1);
  }
}

const noRoom: Failure = {
  place: 'sweep',
  field: null,
  message: 'Not even one run fits into memory. Make the batch, the sequence length or the rank smaller.',
};

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
