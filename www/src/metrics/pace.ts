/** Wall time a step over the last steps; times in which nothing was asked for do not count. */
export class Pace {
  private readonly spans: number[] = [];
  private last: number | null = null;

  constructor(private readonly window = 20) {}

  /** Work begins, for the first time or again. */
  begin(now: number): void {
    this.last = now;
  }

  /** Work pauses. */
  pause(): void {
    this.last = null;
  }

  /** All runs have done one more step. */
  record(now: number): void {
    if (this.last !== null) {
      this.spans.push(now - this.last);
      if (this.spans.length > this.window) this.spans.shift();
    }
    this.last = now;
  }

  /** Seconds a step; null before the first. */
  get secondsPerStep(): number | null {
    if (this.spans.length === 0) return null;
    return this.spans.reduce((sum, span) => sum + span, 0) / this.spans.length / 1000;
  }

  /** Seconds that `steps` more will take. */
  remaining(steps: number): number | null {
    const seconds = this.secondsPerStep;
    return seconds === null ? null : seconds * Math.max(0, steps);
  }
}
