import * as v from 'valibot';
import { MOST_KEPT, thinner, thinPoints } from '../metrics/thin';
import { failed, type Result, success } from '../result';
import { isRunRecord } from './check';
import type { RunRecord } from './record';

/** What the file says it is. Scripts write it too: www/src/sweep/sweep-results.py. */
export const RESULTS_FORMAT = 'riemann-lora sweep';
const VERSION = 1;
// Curves of the largest sweep, whole, take a quarter of it.
const MOST_BYTES = 256e6;

/** Results of a sweep as a file holds them. */
export interface ResultsFile {
  /** A sweep, as far as the tab that shows it understands it. */
  sweep: unknown;
  runs: RunRecord[];
}

const finite = v.pipe(v.number(), v.finite());
const known = v.nullable(finite);
const step = v.pipe(finite, v.integer());

/** A curve of a file: a step and a value each. */
export const curveOfFile = v.pipe(
  v.looseObject({ steps: v.array(step), values: v.array(known) }),
  v.check(({ steps, values }) => steps.length === values.length, 'a curve has a value for every step'),
);

/** Validation losses of a file. */
export const validationOfFile = v.array(v.looseObject({ step, loss: known }));

/** Numbers that the table of runs shows: from elsewhere they are looked at more closely than from this browser. */
const runOfFile = v.looseObject({
  stepsDone: step,
  firstLoss: known,
  lastLoss: known,
  validationLoss: known,
  divergedAt: v.nullable(step),
  hidden: v.boolean(),
  engine: v.picklist(['cpu', 'webgpu', 'peft']),
  origin: v.picklist(['training', 'sweep']),
  start: v.nullable(v.string()),
  session: v.looseObject({
    rank: finite,
    alpha: finite,
    dropout: finite,
    batch_size: finite,
    steps: step,
    seed: step,
    targets: v.array(v.string()),
  }),
  optimizer: v.looseObject({
    lr: finite,
    weight_decay: finite,
    momentum: finite,
    schedule: v.looseObject({ warmup_steps: step, decay: v.picklist(['constant', 'linear', 'cosine']) }),
    preconditioner: v.nullable(v.looseObject({ damping: finite })),
  }),
  dataSettings: v.looseObject({ sequence_length: finite }),
  curve: curveOfFile,
  validation: validationOfFile,
});

const resultsFile = v.looseObject({
  format: v.literal(RESULTS_FORMAT),
  version: v.literal(VERSION),
  sweep: v.looseObject({}),
  runs: v.array(runOfFile),
});

/** Reads results that a script, or this page on another day, has kept. */
export async function readResults(file: File): Promise<Result<ResultsFile>> {
  const wrong = (why: string) =>
    failed(
      'results',
      `${file.name} ${why} Choose a file that a sweep’s script wrote, or that was saved here as JSON.`,
    );
  if (file.size > MOST_BYTES) return wrong('is too large for results of a sweep.');
  let content: unknown;
  try {
    content = JSON.parse(await file.text());
  } catch (thrown) {
    return wrong(`is no JSON (${thrown instanceof Error ? thrown.message : thrown}).`);
  }
  const read = v.safeParse(resultsFile, content);
  if (!read.success) {
    const [issue] = read.issues;
    const place = v.getDotPath(issue) ?? 'its beginning';
    return wrong(`does not hold results of a sweep (${place}: ${issue.message}).`);
  }
  const all: readonly unknown[] = read.output.runs;
  const runs = all.filter(isRunRecord);
  if (runs.length < all.length) return wrong('holds runs that this version of the page cannot show.');
  return success({ sweep: read.output.sweep, runs: runs.map(asKept) });
}

/** Results as a file. */
export function writeResults({ sweep, runs }: ResultsFile): string {
  return JSON.stringify({ format: RESULTS_FORMAT, version: VERSION, sweep, runs });
}

/** A curve as the browser keeps it: a script keeps every step. */
export function asKept<Kept extends Pick<RunRecord, 'curve' | 'validation'>>(run: Kept): Kept {
  return { ...run, curve: thinner(run.curve, MOST_KEPT), validation: thinPoints(run.validation) };
}
