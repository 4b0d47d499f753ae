import type { Config } from '../../config/config';
import { samplePrompt, sampleSettings } from '../../config/text-settings';
import { h } from '../../controls/dom';
import { checkField } from '../../controls/field';
import { settingField, settingFields } from '../../controls/setting-field';
import { readyValue } from '../../lab/loadable';
import type { App } from '../app';

/** What is asked, and how tokens are chosen. */
export function sampleFields(app: App): HTMLElement {
  const edit = (change: (config: Config) => void) => app.change(change);
  const prompt = settingField(samplePrompt, edit);
  const choices = settingFields(sampleSettings, edit);
  const chat = checkField(
    'As a turn of a chat',
    (value) =>
      app.change(({ sample }) => {
        sample.chat = value;
      }),
    'sample-chat',
  );
  app.config.watchTo(
    ({ sample }) => sample,
    ({ chat: isChat }) => {
      prompt.show(app.config.value);
      chat.show(isChat);
      choices.show(app.config.value);
    },
  );
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
  return h(
    'div',
    { class: 'stack' },
    prompt.element,
    chat.element,
    h('div', { class: 'fields narrow' }, ...choices.elements),
  );
}
