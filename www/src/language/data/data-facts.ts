import { encodingName, formatName } from '../../config/text-settings';
import type { DataSummary, Detected } from '../../protocol';
import { count, plural } from '../../words/numbers';

/** What was understood of data and what became of it. `validation` is the name of a file that is only measured on. */
export function factsOf(
  { detected, validation_detected, statistics }: DataSummary,
  name: string,
  validation: string | null,
): [string, string][] {
  const tokens = statistics.train_tokens + statistics.validation_tokens;
  const counted = statistics.train_counted_tokens + statistics.validation_counted_tokens;
  const examples = statistics.train_examples + statistics.validation_examples;
  const from = validation === null ? '' : `, all of ${validation}`;
  return [
    ['File', name],
    ['Read as', readAs(detected)],
    ...understood(detected),
    ['Training', plural(statistics.train_examples, 'example')],
    ['Validation', plural(statistics.validation_examples, 'example') + from],
    ...(validation_detected === null ? [] : [['Validation read as', readAs(validation_detected)] as Fact]),
    ['Tokens', count(tokens)],
    ['In the loss', shareOf(counted, tokens)],
    ['95 % fit into', plural(statistics.length_95, 'token')],
    ['Longest', plural(statistics.longest, 'token')],
    ['Cut', shareOf(statistics.truncated, examples)],
    ['Too long', shareOf(statistics.dropped, examples + statistics.dropped)],
  ];
}

type Fact = [string, string];

const readAs = ({ format, reason }: Detected) => `${formatName(format)}: ${reason}`;

const separators: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' };

/** What the reader found in a file beside its format. */
function understood({ encoding, separator, arranged, columns }: Detected): Fact[] {
  const facts: [string, string | null][] = [
    ['Encoding', encoding === 'utf8' ? null : encodingName(encoding)],
    ['Separated by', separator === null ? null : (separators[separator] ?? separator)],
    ['Rows', arranged],
    ['Columns', columns === null ? null : `${columns.prompt.join(' + ')} → ${columns.completion}`],
  ];
  return facts.flatMap(([term, value]) => (value === null ? [] : [[term, value] as Fact]));
}

/** `12 (3 %)`. */
function shareOf(part: number, whole: number): string {
  if (part === 0 || whole === 0) return count(part);
  const percent = (100 * part) / whole;
  return `${count(part)} (${percent < 1 ? 'below 1' : Math.round(percent)} %)`;
}
