import type { Format } from '../../protocol';

// The header, and lines enough to see what a file is.
const HEAD_BYTES = 65_536;

/** Names of the columns of a table, or of the fields of the first JSON line; none where it is neither. */
export async function columnsOf(blob: Blob, name: string, format: Format | null): Promise<string[]> {
  const head = (await blob.slice(0, HEAD_BYTES).text()).replace(/^\uFEFF/, '').trimStart();
  if (format === 'text' || format === 'pairs') return [];
  if (format === 'json_lines' || (format === null && head.startsWith('{'))) return fieldsOf(head);
  const named = /\.(csv|tsv)$/i.test(name);
  return format === 'table' || named ? headerOf(head) : [];
}

/** Fields of the first JSON line, but those that have a meaning of their own. */
function fieldsOf(head: string): string[] {
  try {
    const first: unknown = JSON.parse(head.split('\n', 1)[0] ?? '');
    if (typeof first !== 'object' || first === null || 'messages' in first) return [];
    return Object.keys(first);
  } catch {
    return [];
  }
}

/** Cells of the header, apart at whichever of comma, tab and semicolon it has most of. */
async function headerOf(head: string): Promise<string[]> {
  const { parse } = await import('papaparse');
  const line = head.split(/\r?\n/, 1)[0] ?? '';
  const separators = [',', '\t', ';'];
  const amount = (separator: string) => line.split(separator).length;
  const delimiter = separators.reduce((best, next) => (amount(next) > amount(best) ? next : best));
  const [cells = []] = parse<string[]>(head, { delimiter, preview: 1 }).data;
  return cells.filter((name) => name !== '');
}
