import type { RunConfig } from '../../config/config';
import type { Lab } from '../../lab/lab';
import type { Failure, TokenLossReport } from '../../protocol';
import { Signal } from '../../signal';

/** Losses on one text, and whose they are. */
export interface Reading {
  report: TokenLossReport;
  runs: readonly RunConfig[];
  step: number;
}

/** The last text whose losses were asked for. */
export class TokenLossBook {
  readonly reading = new Signal<Reading | null>(null);
  readonly busy = new Signal<boolean>(false);
  readonly failure = new Signal<Failure | null>(null);

  constructor(private readonly lab: Lab) {}

  /** Measures a text, or with null a held-out example. */
  async measure(
    text: string | null,
    example: number,
    step: number,
    runs: readonly RunConfig[],
  ): Promise<void> {
    if (this.busy.value) return;
    this.busy.set(true);
    this.failure.set(null);
    const answer = await this.lab.tokenLosses({ text, example, include_base: true });
    this.busy.set(false);
    if (answer.ok) this.reading.set({ report: answer.value, runs, step });
    else this.failure.set(answer.failure);
  }

  /** The losses of another model mean nothing here. */
  clear(): void {
    this.reading.set(null);
    this.failure.set(null);
  }
}
