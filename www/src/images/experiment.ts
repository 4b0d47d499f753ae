import type { Problems } from '../config/problems';
import { Experiment } from '../experiment/experiment';
import type { KeptWorker, Trainee } from '../lab/trainee';
import type { ExperimentMetrics } from '../metrics/experiment-metrics';
import type { Progress, SessionSettings } from '../protocol';
import { failed, type Result, success } from '../result';
import { Signal } from '../signal';
import { checkPictures } from './check';
import { type PictureConfig, pictureSettings } from './config';
import { type Grid, GridBook } from './grids';
import { fetchIconModel, type IconModel } from './icon-model';
import type { PictureLab } from './picture-lab';
import type { PictureSet } from './pictures/picture';
import { PictureShelf } from './shelf';

/** Captions of a set that are drawn while it is learned. */
const SUGGESTED = 4;
// A caption that is being typed is one set, not one a letter.
const REST_MS = 400;
// Of few pictures every caption counts.
const DATA = { caption_dropout: 0 };

/** The experiment on a text-to-image model: pictures are learned, and drawings show it. */
export class PictureExperiment extends Experiment<PictureConfig, PictureLab> {
  readonly words = { data: 'pictures', units: 'Pictures' };
  readonly grids: GridBook;
  /** The model is being downloaded. */
  readonly fetching = new Signal<Progress | null>(null);
  /** The bundled model and sets, once they were downloaded. */
  readonly icons = new Signal<IconModel | null>(null);
  /** Whether pictures or captions were changed since they were read. */
  readonly stale = new Signal<boolean>(false);
  private download: AbortController | null = null;
  private given: PictureSet | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Something else was suggested while it drew. */
  private drawsAgain = false;
  /** The prompt that is the page's own and not the user's. */
  private suggested: string;

  constructor(
    lab: PictureLab,
    config: Signal<PictureConfig>,
    readonly shelf = new PictureShelf(),
  ) {
    super(lab, config, shelf.problems);
    this.grids = new GridBook(lab);
    this.suggested = config.value.draw.prompt;
    // A model that is loaded again on another engine keeps its files, and draws the same.
    lab.model.subscribe(
      ({ status }) => status === 'loading' && lab.modelFiles.length === 0 && this.grids.clear(true),
    );
    this.grids.busy.subscribe((busy) => {
      if (busy > 0 || !this.drawsAgain) return;
      this.drawsAgain = false;
      if (!this.locked) void this.draw();
    });
    this.shelf.set.subscribe((set) => this.onSet(set));
  }

  override id(name: string): string {
    return `images-${name}`;
  }

  /** Downloads and loads the bundled model, and draws with it. */
  async loadIcons(): Promise<Result<null>> {
    if (this.download !== null) return failed('model', 'The model is being loaded already.');
    this.download = new AbortController();
    this.fetching.set({ action: 'Downloading', done: 0, total: 0 });
    const icons = await fetchIconModel((progress) => this.fetching.set(progress), this.download.signal);
    this.fetching.set(null);
    this.download = null;
    if (!icons.ok) return icons;
    this.icons.set(icons.value);
    const model = await this.lab.loadModel(icons.value.files);
    if (!model.ok) return model;
    void this.draw();
    return success(null);
  }

  /** Stops downloading or loading. */
  cancelLoading(): void {
    this.download?.abort();
    this.lab.cancelLoading();
  }

  /** Takes a set that comes with the model, which is loaded first if need be. */
  async useBundled(name: keyof IconModel['sets']): Promise<Result<null>> {
    if (this.icons.value === null) {
      const loaded = await this.loadIcons();
      if (!loaded.ok) return loaded;
    }
    const set = this.icons.value?.sets[name];
    if (set !== undefined) this.shelf.use(set);
    return success(null);
  }

  /** Learns the bundled subject with the settings as they are, from nothing if need be. */
  async learnNow(): Promise<Result<null>> {
    if (this.locked) return failed('run', 'A training is going on; stop it first.');
    if (this.lab.model.value.status !== 'ready') {
      const loaded = await this.loadIcons();
      if (!loaded.ok) return loaded;
    }
    if (this.shelf.set.value === null) await this.useBundled('subject');
    // What they say when they cannot be read stands at the pictures.
    if (await this.readPictures()) await this.start();
    return success(null);
  }

  /** What is learned: the pictures as they were last read. */
  get learned(): PictureSet | null {
    return this.given;
  }

  /** Goes on with a training that was kept; model and pictures are loaded again already. */
  async goOnFrom(
    config: PictureConfig,
    metrics: ExperimentMetrics,
    grids: readonly Grid[],
    workers: readonly KeptWorker[],
  ): Promise<void> {
    this.grids.goOn(grids);
    await this.goOn(config, metrics, workers);
  }

  /** Draws now, with the base and all runs. */
  async draw(): Promise<void> {
    if (this.lab.model.value.status !== 'ready' || this.grids.busy.value > 0) return;
    const { step, runs } = this.asked;
    await this.grids.draw(this.config.value.draw, step, runs);
  }

  /** Gives the pictures as they are now to the engine. */
  async readPictures(): Promise<boolean> {
    clearTimeout(this.timer);
    const set = this.shelf.set.value;
    if (set === null) return false;
    this.given = set;
    this.stale.set(false);
    const answer = await this.lab.loadData(set, DATA);
    if (answer !== null && !answer.ok) this.showFailure(answer.failure);
    return answer?.ok ?? false;
  }

  override forgetTraining(): void {
    super.forgetTraining();
    this.grids.clear();
  }

  protected problemsOf(config: PictureConfig): Problems {
    return checkPictures(config);
  }

  protected settingsOf(config: PictureConfig): SessionSettings {
    return pictureSettings(config);
  }

  protected get dataName(): string {
    return this.shelf.set.value?.name ?? '';
  }

  protected get hasValidation(): boolean {
    const data = this.lab.data.value;
    return data.status === 'ready' && data.value.validation > 0;
  }

  protected override beforeStart(): boolean | Promise<boolean> {
    return this.shelf.set.value === this.given || this.readPictures();
  }

  protected begun(goesOn: boolean): void {
    // Its worker is needed now.
    if (this.grids.busy.value > 0) this.grids.cancel();
    if (!goesOn) this.grids.begin();
  }

  protected async onReady(): Promise<void> {
    const { draw } = this.config.value;
    const runs = this.trainedRuns.value;
    if (this.lab.startAdapter.value === null) await this.grids.drawUntrained(draw, runs);
    else await this.grids.draw(draw, 0, runs);
  }

  protected override onStep({ runs }: Trainee, step: number): void {
    const { drawEvery, draw } = this.config.value;
    const last = step >= (this.trained.value?.session.steps ?? 0);
    if (!last && (drawEvery === 0 || step % drawEvery !== 0)) return;
    void this.grids.drawAt(draw, step, this.trainedRuns.value, runs);
  }

  protected async onOver(): Promise<void> {}

  private onSet(set: PictureSet | null): void {
    this.stale.set(set !== this.given);
    if (set === null) return;
    this.suggest(set);
    clearTimeout(this.timer);
    // Other pictures end the training whose adapters are still there; that waits for Start.
    if (this.lab.trainees.length === 0) this.timer = setTimeout(() => void this.readPictures(), REST_MS);
  }

  /** Draws what is to be learned, until the user writes a prompt. */
  private suggest({ pictures }: PictureSet): void {
    if (this.config.value.draw.prompt !== this.suggested) return;
    const captions = [...new Set(pictures.map(({ caption }) => caption.trim()))].filter((one) => one !== '');
    const prompt = captions.slice(0, SUGGESTED).join('\n');
    if (prompt === '' || prompt === this.suggested) return;
    this.suggested = prompt;
    this.change((config) => {
      config.draw.prompt = prompt;
    });
    if (this.locked) return;
    if (this.grids.busy.value > 0) this.drawsAgain = true;
    else void this.draw();
  }
}
