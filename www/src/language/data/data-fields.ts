import type { Config } from '../../config/config';
import { h } from '../../controls/dom';
import { choiceField, numberField } from '../../controls/field';
import type { Format, LossOn, PromptStyle } from '../../protocol';
import type { App } from '../app';

export const formatNames: Record<Format, string> = {
  pairs: 'prompt||completion lines',
  json_lines: 'JSON lines',
  table: 'CSV or TSV with a header',
  text: 'Plain text',
};

/** How a file becomes examples. */
export function dataFields(app: App): HTMLElement {
  const edit = (change: (data: Config['data']) => void) => app.change((config) => change(config.data));
  const format = choiceField<Format | 'auto'>({
    label: 'Format',
    help: 'How the file is laid out; found from its name and first lines unless you say so.',
    field: 'format',
    choices: [['auto', 'Find out'], ...(Object.entries(formatNames) as [Format, string][])],
    onInput: (value) => edit((data) => Object.assign(data, { format: value === 'auto' ? null : value })),
  });
  const style = choiceField<PromptStyle>({
    label: 'Prompt style',
    help: 'Plain writes prompt, a line end and the completion; chat puts them into the model’s chat template.',
    field: 'prompt_style',
    choices: [
      ['plain', 'Plain'],
      ['chat', 'Chat template'],
    ],
    onInput: (value) => edit((data) => Object.assign(data, { prompt_style: value })),
  });
  const lossOn = choiceField<LossOn>({
    label: 'Loss on',
    help: 'Which tokens are learned: those of the completion, or the prompt’s too.',
    field: 'loss_on',
    choices: [
      ['completion', 'Completion'],
      ['all', 'All tokens'],
    ],
    onInput: (value) => edit((data) => Object.assign(data, { loss_on: value })),
  });
  const length = numberField({
    label: 'Sequence length',
    help: 'Most tokens of one example; what is longer is cut. Time and memory grow with it.',
    field: 'sequence_length',
    onInput: (value) => edit((data) => Object.assign(data, { sequence_length: value })),
  });
  const validation = numberField({
    label: 'Validation examples',
    help: 'Examples that are held out: the runs never train on them, so their loss shows what was learned.',
    field: 'validation',
    onInput: (value) =>
      edit((data) => {
        data.validation = value === 0 ? 'none' : { count: value };
      }),
  });
  const most = numberField({
    label: 'Most examples',
    help: 'Only so many are read from the beginning of the file; empty reads all.',
    field: 'maximum_examples',
    placeholder: 'all',
    onInput: (value) => edit((data) => Object.assign(data, { maximum_examples: value })),
    onEmpty: () => edit((data) => Object.assign(data, { maximum_examples: null })),
  });
  const seed = numberField({
    label: 'Data seed',
    help: 'Decides which examples are held out and in which order the others come.',
    field: 'data_seed',
    onInput: (value) => edit((data) => Object.assign(data, { seed: value })),
  });
  app.config.watch(({ data }) => {
    format.show(data.format ?? 'auto');
    style.show(data.prompt_style);
    lossOn.show(data.loss_on);
    length.show(data.sequence_length);
    const held = data.validation;
    validation.show(typeof held === 'object' && 'count' in held ? held.count : 0);
    most.show(data.maximum_examples);
    seed.show(data.seed);
  });
  const fields = [format, style, lossOn, length, validation, most, seed];
  return h('div', { class: 'fields' }, ...fields.map((field) => field.element));
}
