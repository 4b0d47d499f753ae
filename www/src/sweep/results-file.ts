import * as v from 'valibot';
import { failed, type Result, success } from '../result';
import type { RunBook } from '../runs/book';
import { asKept, curveOfFile, readResults, validationOfFile, writeResults } from '../runs/results-file';
import type { SweepBook } from './book';
import { sweepQuantities } from './config';
import { isSweepRecord, type SweepRecord } from './record';

const finite = v.pipe(v.number(), v.finite());

/** What the robustness chart computes with; from elsewhere it is looked at more closely than from this browser. */
const sweepOfFile = v.looseObject({
  baseLoss: v.nullable(finite),
  basis: v.looseObject({ quantity: v.picklist(sweepQuantities) }),
  results: v.array(
    v.looseObject({
      lr: finite,
      repeat: v.optional(v.pipe(finite, v.integer())),
      validationLoss: v.nullable(finite),
      divergedAt: v.nullable(finite),
      curve: curveOfFile,
      validation: validationOfFile,
    }),
  ),
});

/** What came of opening a file of results. */
export interface OpenedResults {
  /** The sweep as it stands in the file. */
  sweep: SweepRecord;
  /** Results that were not here before. */
  added: number;
}

/** Puts the results of a file into the books, beside what is there. */
export async function openResults(
  file: File,
  book: SweepBook,
  runs: RunBook,
): Promise<Result<OpenedResults>> {
  const read = await readResults(file);
  if (!read.ok) return read;
  const { sweep } = read.value;
  if (!isSweepRecord(sweep) || !v.is(sweepOfFile, sweep)) {
    return failed(
      'results',
      `${file.name} holds a sweep that this version of the page cannot show. Save the script anew, and start it with another --result.`,
    );
  }
  const before = book.find(sweep.key)?.results.length ?? 0;
  await book.put({ ...sweep, results: sweep.results.map(asKept) });
  await runs.add(read.value.runs);
  return success({ sweep, added: (book.find(sweep.key)?.results.length ?? 0) - before });
}

/** A sweep as a file that the page opens and exported scripts go on with. Its runs stay in the table of runs. */
export function saveResults(sweep: SweepRecord): string {
  return writeResults({ sweep, runs: [] });
}
