import type { Machine } from '../lab/estimate';
import type { Trainee } from '../lab/training';
import { TrainingLab } from '../lab/training-lab';
import type { SpawnWorker } from '../lab/worker-link';
import type {
  DrawSettings,
  Failure,
  PictureDataSettings,
  PictureDataSummary,
  PictureModelSummary,
  Progress,
} from '../protocol';
import { failed, type Result, success } from '../result';
import { Cancellation, type Drawing, drawAll, drawingsOf } from './drawing';
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
  private cancellation = new Cancellation();

  constructor(spawn: SpawnWorker, machine: Machine) {
    super(spawn, machine, picturesKind);
  }

  /** Takes pictures to train on; before there is a model, remembers them. */
  loadData(set: PictureSet, settings: PictureDataSettings): Promise<Result<PictureDataSummary> | null> {
    return this.useData({ set, settings });
  }

  /** Lets the base and the chosen runs draw, with the adapters as they are now; before there are runs, the base. */
  async draw(settings: DrawSettings, onProgress: (progress: Progress) => void): Promise<Result<Drawing[]>> {
    const cancellation = new Cancellation();
    this.cancellation = cancellation;
    const recover = (trainee: Trainee, failure: Failure) => this.crew.recover(trainee, failure);
    if (this.hasRuns) return drawAll(this.crew.trainees, settings, onProgress, cancellation, recover);
    const base = { ...settings, runs: [], include_base: true };
    const ready = await this.readyBase();
    if (!ready.ok) return ready;
    const answer = await cancellation.draw(ready.value, base, onProgress);
    return answer.ok ? success(drawingsOf(answer.value, [])) : answer;
  }

  /** Ends the drawing that was asked for last; it answers with a failure that says so. */
  cancelDrawing(): void {
    this.cancellation.cancel();
  }

  /** A run's adapter as one safetensors file. */
  async exportAdapter(run: number): Promise<Result<Uint8Array>> {
    for (const { seat, runs } of this.trainees) {
      const own = runs.indexOf(run);
      if (own >= 0) return seat.call((api) => api.exportPictures(own));
    }
    return failed('adapter', 'This run is not in memory any more. Train it again to export it.');
  }
}
