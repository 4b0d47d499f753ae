import type { LayerDiagnostics } from '../protocol';

/** A number of one layer at one step. */
export type LayerQuantity = keyof LayerDiagnostics;

/** All of them, in the order of the page. */
export const layerQuantities: readonly LayerQuantity[] = [
  'condition_a',
  'condition_b',
  'undamped_a',
  'norm_a',
  'norm_b',
  'norm_delta',
  'log_det_ratio',
];

/** More steps than a map on a laptop shows apart. */
export const MOST_COLUMNS = 96;

/**
 * The numbers of all layers of one run at evenly spaced steps: the first, and every one whose distance from it is a
 * multiple of a spacing that doubles whenever they are too many. What is drawn is what was measured at these steps.
 */
export class LayerTrack {
  /** Of each step all layers, quantity after quantity; NaN is a number that is not finite. */
  private readonly columns = new Map<number, Float32Array>();
  private spacing = 1;

  /** The steps that are kept, rising. */
  get steps(): number[] {
    return [...this.columns.keys()].sort((one, other) => one - other);
  }

  /** How many layers there are; 0 before the first step. */
  get layers(): number {
    const [first] = this.columns.values();
    return (first?.length ?? 0) / layerQuantities.length;
  }

  /** Steps count from 1; a step that is done again overwrites. */
  record(step: number, found: LayerDiagnostics | null): void {
    if (found === null || !this.fits(step)) return;
    const values = layerQuantities.flatMap((quantity) => found[quantity]);
    this.put(
      step,
      Float32Array.from(values, (value) => value ?? Number.NaN),
    );
  }

  /** Of each layer; null where it is not finite. */
  at(step: number, quantity: LayerQuantity): (number | null)[] {
    const first = layerQuantities.indexOf(quantity) * this.layers;
    const values = this.column(step).subarray(first, first + this.layers);
    return Array.from(values, (value) => (Number.isFinite(value) ? value : null));
  }

  /** All that is kept of a step, as {@link put} takes it. */
  column(step: number): Float32Array {
    return this.columns.get(step) ?? new Float32Array(0);
  }

  /** Keeps what {@link column} gave. */
  put(step: number, column: Float32Array): void {
    this.columns.set(step, column);
    while (this.columns.size > MOST_COLUMNS) {
      this.spacing *= 2;
      for (const kept of this.columns.keys()) if (!this.fits(kept)) this.columns.delete(kept);
    }
  }

  private fits(step: number): boolean {
    return (step - 1) % this.spacing === 0;
  }
}
