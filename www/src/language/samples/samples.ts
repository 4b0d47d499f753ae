import type { RunConfig } from '../../config/config';
import type { Lab } from '../../lab/lab';
import type { Failure, SamplePiece, SampleSettings } from '../../protocol';
import { Signal } from '../../signal';

/** What one run wrote. */
export interface Answer {
  /** Null is the base. */
  run: number | null;
  text: string;
  tokens: number;
  done: boolean;
  /** The step at which its run diverged: it has no adapter to write with. */
  divergedAt: number | null;
  /** When its first and its last piece came; what lies before the first is reading and waiting. */
  firstAt: number;
  lastAt: number;
}

/** All answers to one prompt at one step. */
export interface SampleGroup {
  /** Which training of this visit, from 1. */
  training: number;
  step: number;
  prompt: string;
  /** Empty where the base alone was asked. */
  runs: readonly RunConfig[];
  answers: Answer[];
}

// Enough for a before and an after of some prompts.
const MOST_GROUPS = 12;

/** The last answers, newest first. */
export class SampleBook {
  readonly groups = new Signal<readonly SampleGroup[]>([]);
  readonly writing = new Signal<boolean>(false);
  readonly failure = new Signal<Failure | null>(null);
  private training = 0;

  constructor(private readonly lab: Lab) {}

  /** Another training: what is written from now on is of other adapters. */
  begin(): void {
    this.training += 1;
    this.failure.set(null);
  }

  /** The training goes on that wrote the last of these. */
  goOn(kept: readonly SampleGroup[]): void {
    this.training = Math.max(1, ...kept.map(({ training }) => training));
    this.groups.set(kept);
    this.failure.set(null);
  }

  /** Forgets what was written. */
  clear(): void {
    this.groups.set([]);
    this.failure.set(null);
  }

  /** Puts answers that were cleared behind those that came since. */
  putBack(cleared: readonly SampleGroup[]): void {
    this.groups.set([...this.groups.value, ...cleared].slice(0, MOST_GROUPS));
  }

  /** Lets the base and `runs` answer, of which some have `diverged` at a step. */
  async write(
    settings: SampleSettings,
    step: number,
    runs: readonly RunConfig[],
    diverged: readonly (number | null)[] = [],
  ): Promise<void> {
    if (this.writing.value || settings.prompt.trim() === '') return;
    const asked = [...(settings.include_base ? [null] : []), ...runs.keys()];
    const answers = asked.map((run): Answer => {
      const divergedAt = run === null ? null : (diverged[run] ?? null);
      return { run, text: '', tokens: 0, done: false, divergedAt, firstAt: 0, lastAt: 0 };
    });
    const { training } = this;
    const group: SampleGroup = { training, step, prompt: settings.prompt, runs, answers };
    this.failure.set(null);
    this.writing.set(true);
    this.groups.set([group, ...this.groups.value].slice(0, MOST_GROUPS));
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
    const now = performance.now();
    // Another worker took over and begins again.
    if (!piece.done && piece.tokens <= answer.tokens) Object.assign(answer, { text: '', firstAt: 0 });
    if (answer.firstAt === 0) answer.firstAt = now;
    if (piece.tokens > answer.tokens) answer.lastAt = now;
    answer.text += piece.text;
    answer.tokens = piece.tokens;
    answer.done = piece.done;
    this.touch();
  }

  /** The groups changed inside. */
  private touch(): void {
    this.groups.set([...this.groups.value]);
  }
}

/** Tokens a second after the first; null where there are too few to tell. */
export function rateOf({ tokens, firstAt, lastAt }: Answer): number | null {
  const seconds = (lastAt - firstAt) / 1000;
  return tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : null;
}
