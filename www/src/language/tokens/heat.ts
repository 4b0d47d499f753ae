/** What the colours of a text stand for. */
export interface HeatScale {
  /** The value of the strongest colour. */
  limit: number;
  /** Whether values below 0 have a colour of their own: a difference, not a loss. */
  signed: boolean;
}

// Round numbers to end a scale with.
const LIMITS = [0.1, 0.2, 0.5, 1, 2, 4, 6, 8, 10];
// One token that surprises beyond measure must not take the colour from all others.
const SHARE_INSIDE = 0.97;

/** A scale that ends with a round number at or above nearly all `values`. */
export function heatScale(values: readonly (number | null)[], signed: boolean): HeatScale {
  const sizes = values.flatMap((value) => (value === null ? [] : Math.abs(value))).sort((x, y) => x - y);
  const most = sizes[Math.max(0, Math.ceil(sizes.length * SHARE_INSIDE) - 1)] ?? 0;
  const limit = LIMITS.find((round) => round >= most) ?? LIMITS.at(-1) ?? 1;
  return { limit, signed };
}

/** How strong the colour of `value` is, 0 to 1. */
export function heatOf(value: number, { limit }: HeatScale): number {
  return Math.min(1, Math.abs(value) / limit);
}

/** Mean of what is known, over the tokens that `counts` says; null where there is none. */
export function meanLoss(losses: readonly (number | null)[], counts: readonly boolean[]): number | null {
  const known = losses.flatMap((loss, index) => (loss !== null && counts[index] ? [loss] : []));
  return known.length === 0 ? null : known.reduce((sum, loss) => sum + loss, 0) / known.length;
}

/** `other` less `base`, token by token. */
export function lossDifference(
  other: readonly (number | null)[],
  base: readonly (number | null)[],
): (number | null)[] {
  return other.map((loss, index) => {
    const from = base[index] ?? null;
    return loss === null || from === null ? null : loss - from;
  });
}
