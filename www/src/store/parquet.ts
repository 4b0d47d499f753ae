import type { AsyncBuffer, FileMetaData, ParquetParsers, SchemaElement } from 'hyparquet';
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
 * Reads a parquet file a group of rows at a time, each row as the JSON object that its columns make. Whole numbers are
 * written out, decimals as the nearest floating-point number, days and times as ISO 8601 writes them, in UTC, nanoseconds
 * as their number. Bytes that are no text have no place in JSON and become null, and columns of kinds that programs read
 * in different ways are left out, which the answer says; it is empty where there is nothing to say. `onRows` is told of
 * each group.
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
    if (total === 0) return failed('data', `${name} has no rows. Choose another file.`);
    const found = columnsOf(metadata);
    const { columns } = found;
    const note = noteOn(found);
    if (columns.size === 0) return failed('data', `${name} has no field that can be read. ${note}`);
    let done = 0;
    for (const group of metadata.row_groups) {
      const rowStart = done;
      done += Number(group.num_rows);
      const options = {
        file,
        metadata,
        compressors,
        parsers,
        utf8: false,
        columns: [...columns.keys()],
        rowStart,
        rowEnd: done,
      };
      const rows = await parquetReadObjects(options);
      if (signal.aborted) return failed('data', `Reading ${name} was cancelled.`);
      const lines = rows.map((row) => `${written(row, columns)}\n`).join('');
      await onRows({ lines, done, total });
    }
    return success(note);
  } catch (thrown) {
    if (signal.aborted) return failed('data', `Reading ${name} was cancelled.`);
    return failed(
      'data',
      `${name} cannot be read as parquet (${wordsOf(thrown)}). Download it again, or save its rows as JSON lines or CSV.`,
    );
  }
}

/** What is said of columns that are not read as they are; empty where there are none. */
function noteOn({ columns, leftOut }: Columns): string {
  const empty = [...columns.values()].flatMap(({ bytes }) => bytes);
  const ofBytes = `${count(empty.length)} of its fields are bytes and no text, and are read as empty: ${empty.join(', ')}.`;
  const ofKinds = `${count(leftOut.length)} of its fields are of kinds that programs read in different ways, and are left out: ${leftOut.join(', ')}. To use one, save it as text or as a time in microseconds.`;
  return [empty.length > 0 ? ofBytes : '', leftOut.length > 0 ? ofKinds : ''].filter(Boolean).join(' ');
}

/** The name of a kind that this page, the native program and Python read in different ways. */
function otherKind({ type, converted_type, logical_type }: SchemaElement): string | undefined {
  if (type === 'INT96') return type;
  return OTHER_KINDS.find((kind) => kind === converted_type || kind === logical_type?.type);
}

const OTHER_KINDS = ['BSON', 'INTERVAL', 'UUID', 'VARIANT', 'GEOMETRY', 'GEOGRAPHY', 'FILE'] as const;

function isBytes({ type, converted_type, logical_type }: SchemaElement): boolean {
  return (
    (type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY') &&
    converted_type === undefined &&
    logical_type === undefined
  );
}

/** What days and times become; the native program and the exported script write them in the same way. */
const parsers: Partial<ParquetParsers> = {
  dateFromDays: (days) => new Date(days * 86_400_000).toISOString().slice(0, 10),
  timestampFromMilliseconds: (millis) => timeOf(millis * 1000n),
  timestampFromMicroseconds: (micros) => timeOf(micros),
  // Nobody can write them down in a way that all readers understand.
  timestampFromNanoseconds: (nanos) => nanos,
  jsonFromBytes: (bytes) => bytes && new TextDecoder().decode(bytes),
};

/** `2024-01-02T03:04:05`, with six figures after the point where there are any. */
function timeOf(micros: bigint): string {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - rest) / 1000n)).toISOString().slice(0, 19);
  return rest === 0n ? seconds : `${seconds}.${String(rest).padStart(6, '0')}`;
}

/** How the values of a field are written; those of a list as its elements. */
interface Kind {
  /** Whether it holds numbers that are written with a decimal point even where they are whole. */
  isFloating: boolean;
  /** Of the fields within it. */
  fields: ReadonlyMap<string, Kind>;
}

/** A column of the file, and the names of the fields in it that are bytes and no text. */
interface Column {
  kind: Kind;
  bytes: readonly string[];
}

interface Columns {
  /** In the file's order. */
  columns: ReadonlyMap<string, Column>;
  /** The others, each with why. */
  leftOut: readonly string[];
}

function columnsOf({ schema }: FileMetaData): Columns {
  const columns = new Map<string, Column>();
  const leftOut: string[] = [];
  // The first element is the root.
  for (let place = 1; place < schema.length; ) {
    const from = place;
    const next = (): [string, Kind] => {
      const element = schema[place];
      place += 1;
      if (element === undefined) return ['', { isFloating: false, fields: new Map() }];
      const inner = Array.from({ length: element.num_children ?? 0 }, next);
      const kind = { isFloating: isFloating(element), fields: new Map(inner) };
      return [element.name, isList(element) ? elementOf(kind) : kind];
    };
    const [name, kind] = next();
    const within = schema.slice(from, place);
    const [other] = within.map(otherKind).filter((found) => found !== undefined);
    if (other !== undefined) leftOut.push(`${name} (${other})`);
    else columns.set(name, { kind, bytes: within.filter(isBytes).map((element) => element.name) });
  }
  return { columns, leftOut };
}

function isList({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === 'LIST' || logical_type?.type === 'LIST';
}

/** A list's only child is its element, or as is usual now, a group that repeats with the element alone in it. */
function elementOf(list: Kind): Kind {
  const [repeated = list] = list.fields.values();
  const [element = repeated] = repeated.fields.size === 1 ? repeated.fields.values() : [];
  return element;
}

function isFloating({ type, converted_type, logical_type }: SchemaElement): boolean {
  const isNumber = type === 'DOUBLE' || type === 'FLOAT' || logical_type?.type === 'FLOAT16';
  return isNumber || converted_type === 'DECIMAL' || logical_type?.type === 'DECIMAL';
}

function written(row: Record<string, unknown>, columns: ReadonlyMap<string, Column>): string {
  const fields = [...columns].map(([name, { kind }]) => `${JSON.stringify(name)}:${json(row[name], kind)}`);
  return `{${fields.join(',')}}`;
}

function json(value: unknown, kind?: Kind): string {
  if (typeof value === 'bigint') return String(value);
  if (value === null || value === undefined || value instanceof Uint8Array) return 'null';
  if (typeof value === 'number' && kind?.isFloating) return floating(value);
  if (Array.isArray(value)) return `[${value.map((inner) => json(inner, kind)).join(',')}]`;
  if (typeof value === 'object') {
    // What a map holds is the second field of the group that repeats in it.
    const ofMap = kind?.fields.get('key_value')?.fields.get('value');
    const fields = Object.entries(value).map(
      ([name, inner]) => `${JSON.stringify(name)}:${json(inner, kind?.fields.get(name) ?? ofMap)}`,
    );
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The shortest figures that mean this number, with a point or an exponent, as the native program writes them. */
function floating(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  const [figures = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -5 || power > 15) return `${figures}e${exponent}`;
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
