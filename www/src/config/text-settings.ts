import { DEFAULT_VALIDATION } from '../protocol';
import { readRoles, writeRoles } from '../words/roles';
import { readSeparator, writeSeparator } from '../words/separator';
import { parseStops, writeStops } from '../words/stop-strings';
import type { Config } from './config';
import { from0, seeds, whole } from './range';
import type { ChoiceSetting, NumberSetting, Setting, TextSetting } from './setting';

/** A choice that is left to the file: null in settings. */
const orFound = {
  shown: (value: unknown) => (typeof value === 'string' ? value : 'auto'),
  kept: (shown: string) => (shown === 'auto' ? null : shown),
};

const format: ChoiceSetting<Config> = {
  kind: 'choice',
  field: 'format',
  label: 'Format',
  help: 'How the file is laid out; found from its name and first lines unless you say so.',
  at: 'data.format',
  choices: [
    ['auto', 'Find out'],
    ['pairs', 'prompt||completion lines'],
    ['json_lines', 'JSON'],
    ['table', 'Table with a header'],
    ['text', 'Plain text'],
  ],
  form: orFound,
};

const encoding: ChoiceSetting<Config> = {
  kind: 'choice',
  field: 'encoding',
  label: 'Encoding',
  help: 'How the letters of the file are written; a byte order mark in the file counts first.',
  at: 'data.encoding',
  choices: [
    ['auto', 'Find out'],
    ['utf8', 'UTF-8'],
    ['utf16_little_endian', 'UTF-16, little endian'],
    ['utf16_big_endian', 'UTF-16, big endian'],
    ['windows1252', 'Windows-1252 (Western Europe)'],
  ],
  form: orFound,
};

/** What an encoding is called on the page. */
export function encodingName(name: string): string {
  return nameOf(encoding, name);
}

/** What a format is called on the page. */
export function formatName(name: string): string {
  return nameOf(format, name);
}

function nameOf(setting: ChoiceSetting<Config>, name: string): string {
  return setting.choices.find(([choice]) => choice === name)?.[1] ?? name;
}

const validation: NumberSetting<Config> = {
  kind: 'number',
  field: 'validation',
  label: 'Validation examples',
  help: 'Examples that are held out: the runs never train on them, so their loss shows what was learned. 0 holds none out; a validation file takes their place.',
  at: 'data.validation',
  empty: `${DEFAULT_VALIDATION.at_most.share * 100} %, at most ${DEFAULT_VALIDATION.at_most.count}`,
  range: whole(0, 1e6, 'a whole number, 0 or more'),
  form: {
    shown: (held) => (isCount(held) ? held.count : held === 'none' ? 0 : null),
    kept: (count) =>
      count === null ? structuredClone(DEFAULT_VALIDATION) : count === 0 ? 'none' : { count },
  },
};

function isCount(held: unknown): held is { count: number } {
  return typeof held === 'object' && held !== null && 'count' in held;
}

/** How a file becomes examples, in the order of the page. */
export const dataSettings: readonly Setting<Config>[] = [
  format,
  encoding,
  {
    kind: 'choice',
    field: 'prompt_style',
    label: 'Prompt style',
    help: 'Plain writes prompt, separator and completion; chat puts them into the model’s chat template.',
    at: 'data.prompt_style',
    choices: [
      ['plain', 'Plain'],
      ['chat', 'Chat template'],
    ],
  },
  {
    kind: 'text',
    field: 'separator',
    label: 'Separator',
    help: 'What stands between prompt and completion, to the letter; \\n is a line end, \\t a tab.',
    at: 'data.separator',
    matters: ({ data }) => data.prompt_style === 'plain',
    form: {
      shown: (value) => writeSeparator(String(value)),
      kept: readSeparator,
    },
  },
  {
    kind: 'choice',
    field: 'loss_on',
    label: 'Loss on',
    help: 'Which tokens are learned: those of the completion, or the prompt’s too.',
    at: 'data.loss_on',
    choices: [
      ['completion', 'Completion'],
      ['all', 'All tokens'],
    ],
  },
  {
    kind: 'number',
    field: 'sequence_length',
    label: 'Sequence length',
    unit: 'tokens',
    help: 'Most tokens of one example; what is longer is cut. Time and memory grow with it.',
    at: 'data.sequence_length',
    range: whole(2, 65_536),
  },
  validation,
  {
    kind: 'number',
    field: 'maximum_examples',
    label: 'Most examples',
    help: 'Only so many are read from the beginning of the file; empty reads all.',
    at: 'data.maximum_examples',
    empty: 'all',
    range: whole(1, 1e9, '1 or more'),
  },
  {
    kind: 'number',
    field: 'data_seed',
    label: 'Data seed',
    help: 'Decides which examples are held out and in which order the others come.',
    at: 'data.seed',
    range: seeds,
  },
  {
    kind: 'text',
    field: 'roles',
    label: 'Roles',
    help: 'What the names of those who speak are to the chat template: name=role, separated by commas. Other names are handed to it as they are.',
    rows: 2,
    at: 'data.roles',
    form: {
      shown: (value) => writeRoles(value as Record<string, string>),
      kept: readRoles,
    },
  },
];

/** What a model continues. */
export const samplePrompt: TextSetting<Config> = {
  kind: 'text',
  field: 'prompt',
  label: 'Prompt',
  help: 'What the model continues. It is written as the training prompts are: before the separator, or as a turn of a chat.',
  rows: 2,
  at: 'sample.prompt',
};

/** How its tokens are chosen, in the order of the page. */
export const sampleSettings: readonly Setting<Config>[] = [
  {
    kind: 'number',
    field: 'max_tokens',
    label: 'Most tokens',
    help: 'The answer ends here, if the model does not end it before.',
    at: 'sample.max_tokens',
    range: whole(1, 4096),
  },
  {
    kind: 'number',
    field: 'temperature',
    label: 'Temperature',
    help: '0 always takes the likeliest token; larger values take unlikely ones more often.',
    at: 'sample.temperature',
    range: from0('a number, 0 or more; 0 always takes the likeliest token'),
  },
  {
    kind: 'number',
    field: 'top_k',
    label: 'Top k',
    help: 'Only the k likeliest tokens are drawn from; 0 keeps all.',
    at: 'sample.top_k',
    range: whole(0, 1e6, 'a whole number; 0 keeps all tokens'),
  },
  {
    kind: 'number',
    field: 'top_p',
    label: 'Top p',
    help: 'Only the likeliest tokens that make up this share are drawn from; 1 keeps all.',
    at: 'sample.top_p',
    range: { holds: (value) => value > 0 && value <= 1, words: 'above 0 and at most 1' },
  },
  {
    kind: 'number',
    field: 'sample_seed',
    label: 'Seed',
    help: 'The same seed draws the same tokens.',
    at: 'sample.seed',
    range: seeds,
  },
  {
    kind: 'text',
    field: 'stop',
    label: 'Stop at',
    help: 'An answer ends before the first of these texts that would come in it. One a line; \\n is a line end, \\t a tab.',
    rows: 1,
    empty: 'nothing',
    at: 'sample.stop',
    form: {
      shown: (stops) => writeStops(stops as string[]),
      kept: parseStops,
    },
  },
];

/** All settings of a training on text beside those of any training. */
export const textSettings: readonly Setting<Config>[] = [...dataSettings, samplePrompt, ...sampleSettings];
