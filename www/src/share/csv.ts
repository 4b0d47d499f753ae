/** A cell; null is empty. */
export type Cell = string | number | null;

/** A table as CSV. A name that a spreadsheet would take for a formula is made text. */
export async function csvOf(fields: readonly string[], rows: readonly (readonly Cell[])[]): Promise<string> {
  const { unparse } = await import('papaparse');
  const data = rows.map((row) => row.map((cell) => cell ?? ''));
  return `${unparse({ fields: [...fields], data }, { escapeFormulae: true })}\r\n`;
}
