import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'vitest';

/** Where `scripts/fuzz` wants to know what came of it. */
const { FUZZ_SEED, FUZZ_TIMES, FUZZ_OUTPUT } = process.env;

/** How often every case of the tests is tried by `scripts/fuzz`, in other forms. */
const times = Number(FUZZ_TIMES ?? 1);

/** Time for one case, which takes a millisecond or less; for a thousand of them together, because the machine has others. */
const MOST_MS = 20;

/**
 * A test that tries `cases` of `input`. `attempt` throws where something is wrong that is not the input, and says whether
 * the input was accepted; so many have to be, or what comes after reading is hardly tried.
 */
export function fuzz<Input>(
  target: string,
  cases: number,
  input: fc.Arbitrary<Input>,
  attempt: (input: Input) => Promise<boolean> | boolean,
): void {
  const all = cases * times;
  test(
    `${target}: nothing that is malformed does harm`,
    async () => {
      let accepted = 0;
      let tried = 0;
      const counted = fc.asyncProperty(input, async (one) => {
        tried += 1;
        if (await attempt(one)) accepted += 1;
      });
      const result = await fc.check(counted, { seed: Number(FUZZ_SEED ?? 1), numRuns: all });
      if (FUZZ_OUTPUT !== undefined) {
        const figures = { cases: tried, accepted, panics: result.failed ? 1 : 0 };
        writeFileSync(join(FUZZ_OUTPUT, `${target.replaceAll(' ', '-')}.json`), JSON.stringify(figures));
      }
      if (result.failed) throw new Error(fc.defaultReportMessage(result));
      if (accepted * 50 < all) throw new Error(`only ${accepted} of ${all} cases were accepted`);
    },
    Math.max(10_000, all * MOST_MS),
  );
}
