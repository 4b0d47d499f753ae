import { dataSettings } from '../../config/text-settings';
import { h } from '../../controls/dom';
import { settingFields } from '../../controls/setting-field';
import type { App } from '../app';

/** How a file becomes examples. */
export function dataFields(app: App): HTMLElement {
  const fields = settingFields(dataSettings, (change) => app.change(change));
  app.config.watchTo(
    ({ data }) => data,
    () => fields.show(app.config.value),
  );
  return h('div', { class: 'fields' }, ...fields.elements);
}
