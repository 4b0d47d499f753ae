import type { AsyncBuffer, FileMetaData, SchemaElement } from 'hyparquet';
import { failed, type Result, success, wordsOf } from '../result';
import { count } from '../words/numbers';

/** Rows of a parquet file as JSON lines, as many as were stored together. */
export interface ParquetRows {
  lines: string;
  /** Rows up to here, and of the whole file. */
  done: number;
  total: number;
}

// Every parquet file begins with these letters.
const MAGIC = 'PAR1';

/** Whether a file is parquet, by its first letters. */
export async function isParquet(blob: Blob): Promise<boolean> {
  return (await blob.slice(0, MAGIC.length).text()) === MAGIC;
}

/** A file of the user's as the reader takes it. */
export function localFile(blob: Blob): AsyncBuffer {
  return {
    byteLength: blob.size,
    slice: (start, end = blob.size) => blob.slice(start, end).arrayBuffer(),
  };
}

/**
 * Reads a parquet file a group of rows at a time, each row as the JSON object that its columns make. Numbers are written
 * out whole; bytes that are no text have no place in JSON and become null, which the answer says; it is empty where there
 * is nothing to say. `onRows` is told of each group.
 */
export async function readParquet(
  file: AsyncBuffer,
  name: string,
  onRows: (rows: ParquetRows) => Promise<void> | void,
  signal: AbortSignal,
): Promise<Result<string>> {
  try {
    const [{ parquetMetadataAsync, parquetReadObjects }, { compressors }] = await Promise.all([
      import('hyparquet'),
      import('hyparquet-compressors'),
    ]);
    const metadata = await parquetMetadataAsync(file);
    const total = Number(metadata.num_rows);
    const columns = columnsOf(metadata);
    if (total === 0) return failed('data', `${name} has no rows. Choose another file.`);
    let done = 0;
    for (const group of metadata.row_groups) {
      const rowStart = done;
      done += Number(group.num_rows);
      const options = { file, metadata, compressors, utf8: false, rowStart, rowEnd: done };
      const rows = await parquetReadObjects(options);
      if (signal.aborted) return failed('data', `Reading ${name} was cancelled.`);
      const lines = rows.map((row) => `${written(row, columns)}\n`).join('');
      await onRows({ lines, done, total });
    }
    return success(withoutText(metadata));
  } catch (thrown) {
    if (signal.aborted) return failed('data', `Reading ${name} was cancelled.`);
    return failed(
      'data',
      `${name} cannot be read as parquet (${wordsOf(thrown)}). Download it again, or save its rows as JSON lines or CSV.`,
    );
  }
}

/** What is said of columns that are bytes and no text; empty where there are none. */
function withoutText({ schema }: FileMetaData): string {
  const names = schema.filter(isBytes).map(({ name }) => name);
  if (names.length === 0) return '';
  return `${count(names.length)} of its fields are bytes and no text, and are read as empty: ${names.join(', ')}.`;
}

function isBytes({ type, converted_type, logical_type }: SchemaElement): boolean {
  return (
    (type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY') &&
    converted_type === undefined &&
    logical_type === undefined
  );
}

interface Column {
  name: string;
  /** Whether it holds numbers that are written with a decimal point even where they are whole. */
  isFloating: boolean;
}

/** The columns of the file in its order. */
function columnsOf({ schema }: FileMetaData): Column[] {
  const [root, ...rest] = schema;
  const columns: Column[] = [];
  let place = 0;
  const skip = () => {
    const element = rest[place];
    place += 1;
    for (let child = 0; child < (element?.num_children ?? 0); child += 1) skip();
  };
  for (let column = 0; column < (root?.num_children ?? 0); column += 1) {
    const element = rest[place];
    if (element === undefined) break;
    const isFloating = element.type === 'DOUBLE' || element.type === 'FLOAT';
    columns.push({ name: element.name, isFloating });
    skip();
  }
  return columns;
}

function written(row: Record<string, unknown>, columns: readonly Column[]): string {
  const fields = columns.map(({ name, isFloating }) => {
    const value = row[name];
    const isWhole = isFloating && typeof value === 'number' && Number.isInteger(value);
    // So far a number is written out without an exponent, by every program that reads these files.
    const words = isWhole && Math.abs(value) < 1e16 ? value.toFixed(1) : json(value);
    return `${JSON.stringify(name)}:${words}`;
  });
  return `{${fields.join(',')}}`;
}

function json(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (value === null || value === undefined || value instanceof Uint8Array) return 'null';
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`;
  if (typeof value === 'object' && !(value instanceof Date)) {
    const fields = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}:${json(inner)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value);
}
