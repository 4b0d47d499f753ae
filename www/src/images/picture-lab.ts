import type { Machine } from '../lab/budget';
import { type LabOptions, TrainingLab } from '../lab/training-lab';
import type { SpawnWorker } from '../lab/worker-link';
import type {
  DrawSettings,
  PictureDataSettings,
  PictureDataSummary,
  PictureModelSummary,
  Progress,
} from '../protocol';
import { failed, type Result, success } from '../result';
import { type Drawing, drawAll, drawingsOf } from './drawing';
import { type PictureData, type PictureStart, picturesKind } from './picture-kind';
import type { PictureSet } from './pictures/picture';

export type { Drawing } from './drawing';
export type { PictureStart } from './picture-kind';

/** The lab of text-to-image models. */
export class PictureLab extends TrainingLab<
  PictureModelSummary,
  PictureData,
  PictureDataSummary,
  PictureStart
> {
  private readonly drawings = new Set<AbortController>();

  constructor(spawn: SpawnWorker, machine: Machine, options: LabOptions = {}) {
    super(spawn, machine, picturesKind, options);
  }

  /** Takes pictures to train on; before there is a model, remembers them. */
  loadData(set: PictureSet, settings: PictureDataSettings): Promise<Result<PictureDataSummary> | null> {
    return this.useData({ set, settings });
  }

  /** Lets the base and the chosen runs draw, with the adapters as they are now; before there are runs, the base. */
  async draw(settings: DrawSettings, onProgress: (progress: Progress) => void): Promise<Result<Drawing[]>> {
    const controller = new AbortController();
    const { signal } = controller;
    this.drawings.add(controller);
    const { team } = this.crew;
    const drawn =
      team !== null && this.hasRuns
        ? await drawAll(team, settings, onProgress, signal)
        : await this.drawBase(settings, onProgress, signal);
    this.drawings.delete(controller);
    return signal.aborted ? failed('draw', 'Drawing was cancelled.') : drawn;
  }

  /** Ends all drawing, and nothing else that workers do; it answers with a failure that says so. */
  cancelDrawing(): void {
    for (const controller of this.drawings) controller.abort();
  }

  /** A run's adapter as one safetensors file. */
  async exportAdapter(run: number): Promise<Result<Uint8Array>> {
    const answer = await this.desk.ask(run, (api, own) => api.exportPictures(own));
    await this.desk.close();
    return answer;
  }

  private async drawBase(
    settings: DrawSettings,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Result<Drawing[]>> {
    const base = { ...settings, runs: [], include_base: true };
    const answer = await this.askWorker((api) => api.draw(base, onProgress), signal);
    return answer.ok ? success(drawingsOf(answer.value, [])) : answer;
  }
}
