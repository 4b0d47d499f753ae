import { measure, plural } from '../words/numbers';
import type { ClaimFigures, PairFigures, StudyVerdict, WidthFigures } from './figures';

/** What becomes of a claim where it is tried here. */
export type Verdict = 'holds here' | 'holds in part' | 'does not hold here' | 'open';

/** A number with what it is of, and an interval where it has one. */
export interface Measured {
  label: string;
  value: number;
  low?: number;
  high?: number;
  text: string;
}

/** What a button of a card does. */
export type Trial = 'tournament' | 'pictures' | 'theory' | 'ranks';

/** One claim of the paper. */
export interface Card {
  id: string;
  title: string;
  /** What the paper says, and where. */
  said: string;
  /** What was measured here, in a sentence. */
  found: string;
  numbers: Measured[];
  /** What the numbers are: differences have their zero in the chart. */
  scale: 'difference' | 'amount';
  verdict: Verdict;
  limits: string;
  /** What others report. */
  beside: string;
  trial: { does: Trial; words: string } | null;
}

const STUDY_OPEN =
  'The study that decides this (benchmarks/study) is not finished; what stands here is a first look and decides nothing.';
const FIRST_LOOK =
  'A model of one million weights, 80 steps, one kind of text; the best rate is chosen and reported on the same examples.';
// The paper's own reading of a step on its GPUs is 3 to 4 %.
const SMALL = 1.04;
// What depends so little on a number is called free of it: the grid of rates is good to 0.05.
const FREE = 0.1;

/** All cards, in the order of the paper. */
export function cardsOf(figures: ClaimFigures): Card[] {
  const [gd, adamw] = figures.firstMinute;
  return [
    pairCard('sgd', 'SGD converges better on language', 'sgd_pair', gd, figures),
    pairCard('adamw', 'AdamW converges better on language', 'adamw_pair', adamw, figures),
    picturesCard(figures),
    robustCard(figures),
    overheadCard(figures),
    conditionCard(figures),
    widthCard(figures),
    rankCard(),
  ];
}

function pairCard(
  id: string,
  title: string,
  pair: string,
  look: PairFigures | undefined,
  { study }: ClaimFigures,
): Card {
  const decided = study?.pairs[pair]?.better;
  return {
    id,
    title,
    said: 'The preconditioner improves convergence and reliability of SGD and AdamW when language models are fine-tuned (abstract, section 5).',
    found: look === undefined ? '' : pairWords(look),
    numbers:
      look === undefined
        ? []
        : [
            {
              label: `${look.preconditioned} − ${look.plain}`,
              value: look.difference,
              low: look.low,
              high: look.high,
              text: `${signed(look.difference)} (${signed(look.low)} to ${signed(look.high)})`,
            },
          ],
    scale: 'difference',
    verdict: verdictOf(decided),
    limits: decided === undefined ? `${STUDY_OPEN} ${FIRST_LOOK}` : FIRST_LOOK,
    beside:
      id === 'adamw'
        ? 'OP-LoRA reports 70.9 → 76.7 with it on LLaMA-7B at rank 16; Stiefel-AdamW 95.6 → 92.3 on a ViT; arXiv 2602.04998 finds tuned variants of LoRA within 1 to 2 % of each other.'
        : 'We know of no independent result for SGD.',
    trial: { does: 'tournament', words: 'Hold the tournament' },
  };
}

function pairWords({ plain, preconditioned, plainLoss, preconditionedLoss, seeds }: PairFigures): string {
  return (
    `In the page’s first minute ${preconditioned} ends at ${measure(preconditionedLoss)} and ${plain} at ` +
    `${measure(plainLoss)}, each at its best rate, over ${plural(seeds, 'seed')}; the chart has the difference with its 95 % interval.`
  );
}

function picturesCard({ pictures }: ClaimFigures): Card {
  const shares = pictures.map((one) => one.preconditionedLoss / one.plainLoss - 1);
  const better = shares.filter((share) => share < -0.01).length;
  return {
    id: 'pictures',
    title: 'Both converge better on text-to-image diffusion',
    said: 'Subjects and styles are learned better, and AdamW’s pictures break at large rates where scaled AdamW’s do not (section 6).',
    found: `Of ${plural(shares.length, 'comparison')}, each at its best rate, the preconditioned loss is lower by more than 1 % in ${better}.`,
    numbers: pictures.map((one, index) => ({
      label: `${one.concept}: ${one.preconditioned} against ${one.plain}`,
      value: 100 * (shares[index] ?? 0),
      text: `${signed(100 * (shares[index] ?? 0), 1)} %`,
    })),
    scale: 'difference',
    verdict: better === shares.length ? 'holds here' : better === 0 ? 'does not hold here' : 'holds in part',
    limits:
      'One seed, two million weights, pictures of 24×24. At too large a rate both methods drew noise: no rate was found at which only one draws.',
    beside: 'We know of no independent result.',
    trial: { does: 'pictures', words: 'Learn a subject' },
  };
}

function robustCard({ study, firstMinute, pictures }: ClaimFigures): Card {
  const verdicts = Object.values(study?.pairs ?? {}).map(({ robust }) => robust);
  const widths = firstMinute.flatMap(
    ({ plain, preconditioned, plainWidth, preconditionedWidth }): Measured[] => [
      widthOf(plain, plainWidth),
      widthOf(preconditioned, preconditionedWidth),
    ],
  );
  const counts = pictures
    .map(
      (one) =>
        `${one.concept}: ${one.preconditioned} ${one.preconditionedRates}, ${one.plain} ${one.plainRates}`,
    )
    .join('; ');
  return {
    id: 'robust',
    title: 'Far less sensitive to the learning rate',
    said: 'Fine-tuning with the preconditioner is far more robust to hyper-parameters such as the learning rate (abstract).',
    found: `Decades of learning rate within 5 % of the own best in the first minute, at least. On pictures, rates (a decade apart) that do: ${counts}.`,
    numbers: widths,
    scale: 'amount',
    verdict: all(verdicts),
    limits: verdicts.length === 0 ? `${STUDY_OPEN} ${FIRST_LOOK}` : FIRST_LOOK,
    beside: 'Stiefel-AdamW reports no wider range of good rates for it on a ViT.',
    trial: { does: 'tournament', words: 'Hold the tournament' },
  };
}

function widthOf(label: string, { least, most }: WidthFigures): Measured {
  const text = most === null ? `at least ${least.toFixed(2)}` : `${least.toFixed(2)} to ${most.toFixed(2)}`;
  return { label, value: least, low: least, high: most ?? least, text };
}

function overheadCard({ overhead }: ClaimFigures): Card {
  const ratios = Object.entries(overhead);
  return {
    id: 'overhead',
    title: 'A minuscule cost in memory and time',
    said: 'The preconditioner is r × r: storage and runtime hardly grow (abstract; 3 to 4 % of a step on its GPUs).',
    found:
      'Time that preconditioning adds to a step of SmolLM2-135M, by rank. It keeps no bytes between steps.',
    numbers: ratios.map(([rank, ratio]) => ({
      label: `rank ${rank}`,
      value: 100 * (ratio - 1),
      text: `${(100 * (ratio - 1)).toFixed(2)} %`,
    })),
    scale: 'amount',
    verdict: ratios.every(([, ratio]) => ratio <= SMALL) ? 'holds here' : 'does not hold here',
    limits: 'On a processor; nobody has measured it here on a GPU.',
    beside: 'We know of no independent result.',
    trial: null,
  };
}

function conditionCard({ theory }: ClaimFigures): Card {
  const { change, data } = theory;
  const free = (steps: Record<string, number | null>) => {
    const [first, last] = [steps['1'] ?? null, steps['100'] ?? null];
    return first !== null && last !== null && last <= 2 * first;
  };
  const words = (steps: number | null | undefined) => (steps == null ? 'did not arrive' : String(steps));
  const bar = (label: string, steps: number | null | undefined): Measured => ({
    label,
    value: steps ?? 0,
    text: words(steps),
  });
  const planted = free(change.scaled);
  const whole = planted && free(data.scaled);
  return {
    id: 'condition',
    title: 'A rate that does not depend on the condition number',
    said: 'On the convex form of a two-layer ReLU network scaled GD converges at a rate free of the condition number (section 7, theorem 7.4).',
    found:
      'Iterations to a relative error of 1e-6. It is free of the condition of the change that is learned, and not of that of the data, which the theorem’s assumption fixes to almost 1.',
    numbers: [
      bar('scaled GD, change at 1', change.scaled['1']),
      bar('scaled GD, change at 100', change.scaled['100']),
      bar('scaled GD, data at 100', data.scaled['100']),
      bar('GD, change at 100', change.gd['100']),
    ],
    scale: 'amount',
    verdict: whole ? 'holds here' : planted ? 'holds in part' : 'does not hold here',
    limits: 'One size, exact targets, rank known.',
    beside: 'Free of the planted change’s condition as in Tong, Ma and Chi 2021, on which the proof builds.',
    trial: { does: 'theory', words: 'Move the condition numbers' },
  };
}

function widthCard({ width }: ClaimFigures): Card {
  const { adam, gradientScaled, updateScaled } = width;
  const free = (exponent: number) => Math.abs(exponent) < FREE;
  const bar = (label: string, value: number): Measured => ({ label, value, text: signed(value, 2) });
  return {
    id: 'width',
    title: 'One rate for A and B at every width',
    said: 'With the preconditioner one learning rate serves both factors at every width and features stay stable (section 4, theorem 4.1).',
    found:
      'Exponent of width of the best rate: 0 does not depend on width. The form that is proved (the update is scaled) has it, Algorithm 1 (the gradient is scaled before Adam) has not. The paper chose the gradient because it worked better.',
    numbers: [
      bar('Adam', adam),
      bar('gradient scaled (Algorithm 1)', gradientScaled),
      bar('update scaled (the proof’s form)', updateScaled),
    ],
    scale: 'difference',
    verdict: free(gradientScaled)
      ? 'holds here'
      : free(updateScaled)
        ? 'holds in part'
        : 'does not hold here',
    limits: 'Linear toys, 30 steps, one batch; the loss in the toy is as low without it.',
    beside: 'We know of no independent result.',
    trial: null,
  };
}

function rankCard(): Card {
  return {
    id: 'rank',
    title: 'It helps at rank 1 already',
    said: 'The gain is there at every rank, and largest at rank 1 (table 4).',
    found: 'Piece P7 of the study asks this and has not been run.',
    numbers: [],
    scale: 'amount',
    verdict: 'open',
    limits: STUDY_OPEN,
    beside: 'We know of no independent result.',
    trial: { does: 'ranks', words: 'Set up a sweep over ranks' },
  };
}

function verdictOf(decided: StudyVerdict | undefined): Verdict {
  const words: Record<StudyVerdict, Verdict> = {
    confirmed: 'holds here',
    refuted: 'does not hold here',
    unresolved: 'open',
  };
  return decided === undefined ? 'open' : words[decided];
}

/** One verdict of several pairs. */
function all(verdicts: readonly StudyVerdict[]): Verdict {
  const some = (verdict: StudyVerdict) => verdicts.includes(verdict);
  if (some('confirmed') && (some('refuted') || some('unresolved'))) return 'holds in part';
  return verdictOf(verdicts[0]);
}

/** `+0.13`, `−0.13`. */
function signed(value: number, digits = 3): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}
