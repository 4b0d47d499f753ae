const FIRST_LENGTH = 64;

/**
 * One number a step, in four bytes: there are many of them, and engines measure in f32. A gap is NaN inside and
 * null outside. Nothing is held before the first number, so what is never measured costs nothing.
 */
export class Track {
  private values = new Float32Array(0);
  private length = 0;

  /** Whether nothing was ever measured. */
  get empty(): boolean {
    return this.length === 0;
  }

  /** Steps count from 1; a step that is done again overwrites. */
  record(step: number, value: number | null): void {
    if (value === null && step > this.length) return;
    if (step > this.values.length) {
      const grown = new Float32Array(Math.max(FIRST_LENGTH, 2 * this.values.length, step));
      grown.set(this.values);
      grown.fill(Number.NaN, this.length);
      this.values = grown;
    }
    this.values[step - 1] = value ?? Number.NaN;
    this.length = Math.max(this.length, step);
  }

  at(step: number): number | null {
    const value = this.values[step - 1] ?? Number.NaN;
    return Number.isFinite(value) ? value : null;
  }

  /** The number of each of the first `steps`. */
  upTo(steps: number): (number | null)[] {
    return Array.from({ length: steps }, (_, index) => this.at(index + 1));
  }

  get first(): number | null {
    for (let step = 1; step <= this.length; step += 1) {
      const value = this.at(step);
      if (value !== null) return value;
    }
    return null;
  }

  get last(): number | null {
    for (let step = this.length; step >= 1; step -= 1) {
      const value = this.at(step);
      if (value !== null) return value;
    }
    return null;
  }
}
