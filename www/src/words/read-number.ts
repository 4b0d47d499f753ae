/** What stands in a field for a number. */
export interface TypedNumber {
  /** Null where nothing was typed, NaN where it is no number. */
  value: number | null;
  /** Why it is no number, and how to write one; else empty. */
  problem: string;
}

const LIKE = 'write it like 1000, 0.5 or 1e-3.';
const PLAIN = /^(?:\d+\.?\d*|\.\d+)$/;
const PRINTED = /^[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?$/;
// Nobody writes decimals with a space, an apostrophe or an underscore.
const GROUPED = /^[1-9]\d{0,2}(?:[ \u00a0\u202f'’_]\d{3})+(?:[.,]\d*)?$/;
const DECIMAL_COMMA = /^\d*,\d+$/;
// As `large` prints them.
const POWERS: Record<string, number> = { '': 0, k: 3, M: 6 };

/**
 * A number as people type it and as this page prints it: `1e-3`, `0.5`, `0,5`, `1,000`, `1 000`, `12.3 k`. A point is
 * for decimals. So is a comma, unless it stands between thousands, where the page itself writes one. What has a unit or
 * could be read in two ways is no number, and is named.
 */
export function readNumber(text: string): TypedNumber {
  const typed = text.trim();
  if (typed === '') return { value: null, problem: '' };
  const found = /^([+-]?)([\d.,](?:[\d.,'’_\s]*[\d.,])?)(?:e([+-]?\d+))?\s*(.*)$/i.exec(
    typed.replace('−', '-'),
  );
  const [, sign = '', body = '', exponent, rest = ''] = found ?? [];
  if (!/\d/.test(body) || !/^([a-df-zµ%][^\d]*)?$/i.test(rest))
    return refused(typed, `is no number: ${LIKE}`);
  const digits = digitsOf(body, exponent !== undefined);
  if (digits === null) return refused(typed, `can be read in more than one way: ${LIKE}`);
  const power = POWERS[rest];
  if (power === undefined) return refused(typed, 'has a unit: write the number alone.');
  return { value: Number(`${sign}${digits}e${Number(exponent ?? 0) + power}`), problem: '' };
}

/** With a point for decimals and nothing between thousands; null where it is not clear which is which. */
function digitsOf(body: string, hasExponent: boolean): string | null {
  if (PLAIN.test(body)) return body;
  // A comma is for decimals here, and for thousands there.
  if (hasExponent && PRINTED.test(body)) return null;
  if (PRINTED.test(body)) return body.replaceAll(',', '');
  if (GROUPED.test(body)) return body.replace(/[^\d.,]/g, '').replace(',', '.');
  return DECIMAL_COMMA.test(body) ? body.replace(',', '.') : null;
}

function refused(typed: string, why: string): TypedNumber {
  return { value: Number.NaN, problem: `“${typed}” ${why}` };
}
