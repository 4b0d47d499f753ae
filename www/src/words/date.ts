const short = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** `24 Nov 2026, 04:15`. */
export function dateWords(milliseconds: number): string {
  return short.format(milliseconds);
}
