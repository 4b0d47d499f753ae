/** Stop strings as text: one a line, with `\n` for a line end and `\t` for a tab. */

/** What the user wrote, as stop strings. */
export function parseStops(text: string): string[] {
  const escapes: Record<string, string> = { n: '\n', t: '\t', '\\': '\\' };
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/\\([nt\\])/g, (_, letter: string) => escapes[letter] ?? letter));
}

/** Stop strings as the user writes them. */
export function writeStops(stops: readonly string[]): string {
  return stops
    .map((stop) => stop.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t'))
    .join('\n');
}
