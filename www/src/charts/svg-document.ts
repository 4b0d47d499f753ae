/** Colours and letters of a picture. */
export interface PictureLook {
  ground: string;
  ink: string;
  quietInk: string;
  grid: string;
  font: string;
  colourOf(style: number): string;
  dashOf(style: number): readonly number[];
}

/** Size of a picture's small letters. */
export const SMALL = 14;

/** Width of the line that stands for a run beside its name. */
export const SWATCH = 34;

const TITLE_BASELINE = 38;

/** A picture that needs nothing from the page: its ground, its title at `left`, and what is drawn upon it. */
export function svgDocument(
  title: string,
  left: number,
  { width, height }: { width: number; height: number },
  look: PictureLook,
  body: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${escaped(look.font)}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${look.ground}"/>`,
    `<text x="${left}" y="${TITLE_BASELINE}" fill="${look.ink}" font-size="20" font-weight="600">${escaped(title)}</text>`,
    ...body,
    '</svg>',
  ].join('\n');
}

/** A piece of a run's line. */
export function swatchAt(left: number, y: number, style: number, look: PictureLook): string {
  return `<line x1="${n(left)}" y1="${y}" x2="${n(left + SWATCH)}" y2="${y}" stroke="${look.colourOf(style)}" stroke-width="3"${dashAttribute(look.dashOf(style))}/>`;
}

/** A dash pattern as an attribute. */
export function dashAttribute(dashes: readonly number[]): string {
  return dashes.length === 0 ? '' : ` stroke-dasharray="${dashes.join(' ')}"`;
}

/** A coordinate: hundredths of a pixel are enough, and nothing may leave the numbers that SVG knows. */
export function n(value: number): string {
  return String(Math.round(Math.max(-1e5, Math.min(1e5, value)) * 100) / 100);
}

// XML has no place for control characters, not even escaped.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Words as text of XML. */
export function escaped(words: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return words
    .toWellFormed()
    .replace(forbidden, '')
    .replace(/[&<>"]/g, (letter) => names[letter] ?? letter);
}
