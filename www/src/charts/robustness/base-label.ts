import { freePlace, type LabelBox, type Spot } from './free-place';

/** Where the label of the base's line stands: its box, and the baseline of its letters. */
export interface LabelPlace extends LabelBox {
  baseline: number;
}

// In pixels of CSS.
const GAP = 5;
const INSET = 4;
const MARK = 8;

/**
 * Where the label of the line at `y` covers no mark: above or below it, at either end or between. `width` and `size`
 * are of the text; all lengths are in pixels of CSS times `dot`.
 */
export function baseLabelPlace(
  y: number,
  { left, right }: { left: number; right: number },
  { width, size }: { width: number; size: number },
  marks: readonly Spot[],
  dot = 1,
): LabelPlace | undefined {
  const last = right - INSET * dot - width;
  const first = left + INSET * dot;
  const columns = [0, 1, 0.25, 0.5, 0.75].map((share) => last + (first - last) * share);
  const above = y - GAP * dot;
  const below = y + GAP * dot + size;
  const places = columns.flatMap((from) =>
    [above, below].map((baseline) => {
      return { left: from, top: baseline - size, width, height: size, baseline };
    }),
  );
  return freePlace(places, marks, MARK * dot);
}
