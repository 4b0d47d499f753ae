import type { RunConfig } from '../config/config';
import type { Failure, Progress } from '../protocol';
import { Signal } from '../signal';
import { captionsOf, type DrawConfig } from './config';
import type { PictureLab } from './picture-lab';

/** RGBA of each picture, as `ImageData` takes it. */
export type Pictures = readonly Uint8ClampedArray<ArrayBuffer>[];

/** What the base and the runs drew from the same noise at one step. */
export interface Grid {
  /** Which training of this visit, from 1; 0 is before the first. */
  training: number;
  step: number;
  how: DrawConfig;
  /** One for each picture. */
  captions: readonly string[];
  /** Width and height of each picture. */
  size: number;
  /** Empty where the base alone was asked. */
  runs: readonly RunConfig[];
  /** By the index of the run; null is the base. A run that had diverged has no pictures. */
  lanes: ReadonlyMap<number | null, Pictures>;
}

// Of 24 × 24 pixels so many take a few megabytes.
const MOST_GRIDS = 60;

/** The grids of this visit, oldest first. */
export class GridBook {
  readonly grids = new Signal<readonly Grid[]>([]);
  /** How many drawings are being made. */
  readonly busy = new Signal<number>(0);
  readonly progress = new Signal<Progress | null>(null);
  readonly failure = new Signal<Failure | null>(null);
  /** What the base drew, by how: it does not change while runs train. */
  private readonly base = new Map<string, Pictures>();
  private training = 0;
  /** How the grid of the current step is drawn, also where a worker comes to it after the prompt was changed. */
  private current: { step: number; how: DrawConfig } | null = null;

  constructor(private readonly lab: PictureLab) {}

  /** Another training: what is drawn from now on is of other adapters. */
  begin(): void {
    this.training += 1;
    this.current = null;
    this.failure.set(null);
  }

  /** Goes on after these grids, which are of one training. */
  goOn(grids: readonly Grid[]): void {
    this.begin();
    const { training } = this;
    for (const { how, lanes } of grids) {
      const base = lanes.get(null);
      if (base !== undefined) this.base.set(keyOf(how), base);
    }
    this.grids.set(grids.map((grid) => ({ ...grid, training })));
  }

  /** Those of the training of now. */
  get ofTraining(): readonly Grid[] {
    return this.grids.value.filter(({ training }) => training === this.training);
  }

  /** Forgets all grids; `anotherModel` also what the base drew. */
  clear(anotherModel = false): void {
    this.grids.set([]);
    this.failure.set(null);
    if (anotherModel) this.base.clear();
  }

  /** Runs that have done no step from fresh adapters draw what the base draws: nothing of theirs is drawn. */
  async drawUntrained(how: DrawConfig, runs: readonly RunConfig[]): Promise<void> {
    await this.draw(how, 0, runs, []);
    const base = this.base.get(keyOf(how));
    const grid = this.find(0, how, runs);
    if (base === undefined || grid === undefined) return;
    this.put({
      ...grid,
      lanes: new Map([[null, base], ...[...runs.keys()].map((run) => [run, base] as const)]),
    });
  }

  /** Lets some of the `runs` draw at a step that their worker has just done. */
  async drawAt(
    how: DrawConfig,
    step: number,
    runs: readonly RunConfig[],
    asked: readonly number[],
  ): Promise<void> {
    if (this.current?.step !== step) this.current = { step, how };
    await this.draw(this.current.how, step, runs, asked);
  }

  /** Lets the base and those of the `runs` draw that are `asked`. */
  async draw(
    how: DrawConfig,
    step: number,
    runs: readonly RunConfig[],
    asked: readonly number[] = [...runs.keys()],
  ): Promise<void> {
    const captions = captionsOf(how.prompt);
    if (captions.length === 0) return;
    const { training } = this;
    const { steps, guidance, seed } = how;
    const key = keyOf(how);
    const known = this.base.get(key);
    // The base draws in the worker of the first run.
    const include_base = known === undefined && (asked.includes(0) || asked.length === 0);
    this.failure.set(null);
    const lanes = new Map<number | null, Pictures>(known && [[null, known]]);
    let size = 0;
    if (include_base || asked.length > 0) {
      this.busy.set(this.busy.value + 1);
      const settings = { captions, steps, guidance, seed, runs: [...asked], include_base };
      const answer = await this.lab.draw(settings, (progress) => this.progress.set(progress));
      this.busy.set(this.busy.value - 1);
      if (this.busy.value === 0) this.progress.set(null);
      if (!answer.ok) {
        // A training that was stopped takes its drawings with it.
        this.failure.set(answer.failure);
        return;
      }
      for (const run of asked) lanes.set(run, []);
      for (const drawing of answer.value) {
        lanes.set(drawing.run, drawing.pictures);
        size = drawing.size;
        if (drawing.run === null) this.base.set(key, drawing.pictures);
      }
    }
    if (training !== this.training) return;
    const before = this.find(step, how, runs);
    size ||= before?.size ?? Math.sqrt((known?.[0]?.length ?? 0) / 4);
    const merged = new Map([...(before?.lanes ?? []), ...lanes]);
    this.put({ training, step, how: { ...how }, captions, size, runs, lanes: merged });
  }

  cancel(): void {
    this.lab.cancelDrawing();
  }

  private find(step: number, how: DrawConfig, runs: readonly RunConfig[]): Grid | undefined {
    const key = keyOf(how);
    return this.grids.value.find(
      (grid) =>
        grid.training === this.training &&
        grid.step === step &&
        grid.runs.length === runs.length &&
        keyOf(grid.how) === key,
    );
  }

  /** In the place of the grid that it completes, else as the newest. */
  private put(grid: Grid): void {
    const before = this.find(grid.step, grid.how, grid.runs);
    const grids = this.grids.value;
    if (before !== undefined) this.grids.set(grids.map((one) => (one === before ? grid : one)));
    else this.grids.set([...grids, grid].slice(-MOST_GRIDS));
  }
}

function keyOf({ prompt, steps, guidance, seed }: DrawConfig): string {
  return JSON.stringify([captionsOf(prompt), steps, guidance, seed]);
}
