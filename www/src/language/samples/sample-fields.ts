import { h } from '../../controls/dom';
import { checkField, numberField, textField } from '../../controls/field';
import { readyValue } from '../../lab/loadable';
import type { App } from '../app';
import { parseStops, writeStops } from './stop-strings';

type SampleNumber = 'max_tokens' | 'temperature' | 'top_k' | 'top_p' | 'seed';

/** What is asked, and how tokens are chosen. */
export function sampleFields(app: App): HTMLElement {
  const prompt = textField({
    label: 'Prompt',
    help: 'What the model continues. It is written as the training prompts are: before a line end, or as a turn of a chat.',
    field: 'prompt',
    rows: 2,
    onInput: (value) =>
      app.change(({ sample }) => {
        sample.prompt = value;
      }),
  });
  const chat = checkField(
    'As a turn of a chat',
    (value) =>
      app.change(({ sample }) => {
        sample.chat = value;
      }),
    'sample-chat',
  );
  const number = (key: SampleNumber, field: string, label: string, help: string) =>
    numberField({
      label,
      help,
      field,
      onInput: (value) =>
        app.change(({ sample }) => {
          sample[key] = value;
        }),
    });
  const most = number(
    'max_tokens',
    'max_tokens',
    'Most tokens',
    'The answer ends here, if the model does not end it before.',
  );
  const temperature = number(
    'temperature',
    'temperature',
    'Temperature',
    '0 always takes the likeliest token; larger values take unlikely ones more often.',
  );
  const topK = number('top_k', 'top_k', 'Top k', 'Only the k likeliest tokens are drawn from; 0 keeps all.');
  const topP = number(
    'top_p',
    'top_p',
    'Top p',
    'Only the likeliest tokens that make up this share are drawn from; 1 keeps all.',
  );
  const seed = number('seed', 'sample_seed', 'Seed', 'The same seed draws the same tokens.');
  const stop = textField({
    label: 'Stop at',
    help: 'An answer ends before the first of these texts that would come in it. One a line; \\n is a line end, \\t a tab.',
    field: 'stop',
    rows: 1,
    placeholder: 'nothing',
    onInput: (value) =>
      app.change(({ sample }) => {
        sample.stop = parseStops(value);
      }),
  });
  app.config.watch(({ sample }) => {
    prompt.show(sample.prompt);
    chat.show(sample.chat);
    most.show(sample.max_tokens);
    temperature.show(sample.temperature);
    topK.show(sample.top_k);
    topP.show(sample.top_p);
    seed.show(sample.seed);
    stop.show(writeStops(sample.stop));
  });
  // The data suggests a prompt of its own kind, until the user writes one.
  let suggested = '';
  app.lab.data.watch((state) => {
    const first = readyValue(state)?.preview[0];
    const { sample, data } = app.config.value;
    if (first === undefined || (sample.prompt !== '' && sample.prompt !== suggested)) return;
    const masked = first.slice(
      0,
      Math.max(
        0,
        first.findIndex((piece) => piece.counts),
      ),
    );
    const text = masked
      .map((piece) => piece.text)
      .join('')
      .trim();
    if (text === '' || data.prompt_style === 'chat' || data.loss_on === 'all') return;
    suggested = text;
    app.change((config) => {
      config.sample.prompt = text;
    });
  });
  const choices = [most, temperature, topK, topP, seed, stop];
  return h(
    'div',
    { class: 'stack' },
    prompt.element,
    chat.element,
    h('div', { class: 'fields narrow' }, ...choices.map((field) => field.element)),
  );
}
