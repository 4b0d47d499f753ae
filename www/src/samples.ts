import type { RunConfig } from './config/config';
import type { Lab } from './lab/lab';
import type { Failure, SamplePiece, SampleSettings } from './protocol';
import { Signal } from './signal';

/** What one run wrote. */
export interface Answer {
  /** Null is the base. */
  run: number | null;
  text: string;
  done: boolean;
}

/** All answers to one prompt at one step. */
export interface SampleGroup {
  step: number;
  prompt: string;
  runs: readonly RunConfig[];
  answers: Answer[];
}

/** Everything written since the last Start, newest first. */
export class SampleBook {
  readonly groups = new Signal<readonly SampleGroup[]>([]);
  readonly writing = new Signal<boolean>(false);
  readonly failure = new Signal<Failure | null>(null);
  private runs: readonly RunConfig[] = [];

  constructor(private readonly lab: Lab) {}

  /** Another training: what was written before is of other adapters, but for what is kept of this one. */
  begin(runs: readonly RunConfig[], kept: readonly SampleGroup[] = []): void {
    this.runs = runs;
    this.groups.set(kept);
    this.failure.set(null);
  }

  async write(settings: SampleSettings, step: number): Promise<void> {
    if (this.writing.value || settings.prompt.trim() === '') return;
    const { runs } = this;
    const base: Answer[] = settings.include_base ? [{ run: null, text: '', done: false }] : [];
    const answers = [...base, ...runs.map((_, run): Answer => ({ run, text: '', done: false }))];
    const group: SampleGroup = { step, prompt: settings.prompt, runs, answers };
    this.failure.set(null);
    this.writing.set(true);
    this.groups.set([group, ...this.groups.value]);
    const answer = await this.lab.sample(settings, (piece) => this.add(group, piece));
    for (const one of group.answers) one.done = true;
    if (!answer.ok) this.failure.set(answer.failure);
    if (group.answers.every((one) => one.text === '') && !answer.ok) {
      this.groups.set(this.groups.value.filter((other) => other !== group));
    }
    this.writing.set(false);
    this.touch();
  }

  private add(group: SampleGroup, piece: SamplePiece): void {
    const answer = group.answers.find((one) => one.run === piece.run);
    if (answer === undefined) return;
    answer.text += piece.text;
    answer.done = piece.done;
    this.touch();
  }

  /** The groups changed inside. */
  private touch(): void {
    this.groups.set([...this.groups.value]);
  }
}
