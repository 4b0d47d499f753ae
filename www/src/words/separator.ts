const escapes: readonly (readonly [string, string])[] = [
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\t', '\\t'],
];

/** A separator as it is typed: line ends and tabs as `\\n` and `\\t`, which a field of one line cannot hold. */
export function writeSeparator(separator: string): string {
  return escapes.reduce((text, [letter, written]) => text.replaceAll(letter, written), separator);
}

/** What was typed, with `\\n`, `\\t` and `\\\\` as the letters that they stand for. */
export function readSeparator(text: string): string {
  return text.replace(/\\([nt\\])/g, (_, letter: string) => ({ n: '\n', t: '\t' })[letter] ?? '\\');
}
