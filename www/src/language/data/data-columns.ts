import type { Encoding, Format } from '../../protocol';

// The header, and lines enough to see what a file is.
const HEAD_BYTES = 65_536;

const labels: Record<Encoding, string> = {
  utf8: 'utf-8',
  utf16_little_endian: 'utf-16le',
  utf16_big_endian: 'utf-16be',
  windows1252: 'windows-1252',
};

// The later of two that a header has as often is taken, as the reader does.
const separators = ['|', ';', '\t', ','];

// Fields that hold a conversation: they are read as what they are.
const conversations = ['messages', 'conversations', 'conversation'];

/** Names of the columns of a table, or of the fields of the first JSON row; none where it is neither. */
export async function columnsOf(
  blob: Blob,
  name: string,
  format: Format | null,
  encoding: Encoding | null = null,
): Promise<string[]> {
  const head = (await headOf(blob, encoding)).trimStart();
  if (format === 'text' || format === 'pairs') return [];
  if (format === 'json_lines' || (format === null && /^(\{|\[\s*[[{])/.test(head))) return fieldsOf(head);
  const named = /\.(csv|tsv)$/i.test(name);
  return format === 'table' || named ? headerOf(head) : [];
}

/** The beginning of a file, as its byte order mark says it is written, and else as was chosen. */
async function headOf(blob: Blob, encoding: Encoding | null): Promise<string> {
  const bytes = new Uint8Array(await blob.slice(0, HEAD_BYTES).arrayBuffer());
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const isMarked = first === 0xef && second === 0xbb;
  return new TextDecoder(isMarked ? 'utf-8' : labels[encoding ?? 'utf8']).decode(bytes);
}

/** Fields of the first JSON row, wherever its file has it, but those of a conversation. */
function fieldsOf(head: string): string[] {
  for (let at = head.indexOf('{'); at >= 0; at = head.indexOf('{', at + 1)) {
    const found = objectAt(head, at);
    // An object that does not end here holds the rows.
    if (found === null) continue;
    const rows = Object.values(found).find((value) => Array.isArray(value) && isObject(value[0]));
    const row = rows !== undefined && Object.keys(found).length === 1 ? (rows as unknown[])[0] : found;
    if (!isObject(row) || conversations.some((name) => name in row)) return [];
    return Object.keys(row);
  }
  return [];
}

/** The object that begins at a place, if it ends before the text does. */
function objectAt(text: string, start: number): Record<string, unknown> | null {
  let depth = 0;
  let isQuoted = false;
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at];
    if (isQuoted) {
      if (letter === '\\') at += 1;
      else if (letter === '"') isQuoted = false;
    } else if (letter === '"') isQuoted = true;
    else if (letter === '{') depth += 1;
    else if (letter === '}') {
      depth -= 1;
      if (depth === 0) return parsed(text.slice(start, at + 1));
    }
  }
  return null;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Cells of the header, apart at the separator that a line before it tells, as Excel writes it, or at whichever it has most of
 * outside of quotes.
 */
async function headerOf(text: string): Promise<string[]> {
  const { parse } = await import('papaparse');
  const told = /^"?sep=([|;\t,])"?[ \t]*\r?\n\s*/.exec(text);
  const head = text.slice(told?.[0].length ?? 0);
  const line = head.split(/\r?\n/, 1)[0] ?? '';
  const outside = line
    .split('"')
    .filter((_, place) => place % 2 === 0)
    .join('');
  const amount = (separator: string) => outside.split(separator).length;
  const most = separators.reduce((best, next) => (amount(next) >= amount(best) ? next : best));
  const [cells = []] = parse<string[]>(head, { delimiter: told?.[1] ?? most, preview: 1 }).data;
  return cells.filter((name) => name !== '');
}
