import type { RunReport } from '../protocol';
import { LayerTrack } from './layer-track';
import { type Quantity, quantities, quantityIn } from './quantities';
import { Track } from './track';

/** A held-out loss and when it was measured. */
export interface ValidationPoint {
  step: number;
  loss: number | null;
}

/** Everything measured of one run. A step that is done again, after a worker was replaced, overwrites. */
export class RunSeries {
  /** Training loss of step i + 1. */
  readonly losses: (number | null)[] = [];
  private readonly tracks = new Map(quantities.map((quantity) => [quantity, new Track()]));
  /** What was measured of each layer. */
  readonly layers = new LayerTrack();
  readonly validation: ValidationPoint[] = [];
  lr = 0;
  divergedAt: number | null = null;

  record(step: number, report: RunReport): void {
    while (this.losses.length < step) this.losses.push(null);
    this.losses[step - 1] = report.loss;
    for (const [quantity, track] of this.tracks) track.record(step, quantityIn(report, quantity));
    this.layers.record(step, report.diagnostics?.layers ?? null);
    this.lr = report.lr;
    this.divergedAt = report.diverged_at;
  }

  /** Everything else that was measured of each step. */
  track(quantity: Quantity): Track {
    return this.tracks.get(quantity) ?? new Track();
  }

  recordValidation(step: number, loss: number | null): void {
    const at = this.validation.findIndex((point) => point.step >= step);
    const point = { step, loss };
    if (at === -1) this.validation.push(point);
    else this.validation.splice(at, this.validation[at]?.step === step ? 1 : 0, point);
  }

  get firstLoss(): number | null {
    return this.losses.find((loss) => loss !== null) ?? null;
  }

  get lastLoss(): number | null {
    return this.losses.findLast((loss) => loss !== null) ?? null;
  }

  get lastValidation(): ValidationPoint | null {
    return this.validation.at(-1) ?? null;
  }

  get bestValidation(): { step: number; loss: number } | null {
    let best: { step: number; loss: number } | null = null;
    for (const { step, loss } of this.validation) {
      if (loss !== null && Number.isFinite(loss) && (best === null || loss < best.loss))
        best = { step, loss };
    }
    return best;
  }
}
