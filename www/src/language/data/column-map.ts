import type { Config } from '../../config/config';
import { fill, freshId, h, setText } from '../../controls/dom';
import { choiceField, type Field } from '../../controls/field';
import { noticeBox } from '../../controls/message';
import type { Columns } from '../../protocol';
import type { App } from '../app';
import { columnWords, distinctColumns } from './chosen-columns';
import { columnsOf } from './data-columns';

type Role = 'none' | 'prompt' | 'completion';

/** What each column of a table, or field of JSON lines, is for. Shown where the file has columns. */
export function columnMap(app: App): HTMLElement {
  const list = h('div', { class: 'fields narrow' });
  const found = h('p', { class: 'hint' });
  const notice = noticeBox();
  const element = h(
    'fieldset',
    { class: 'columns', 'data-field': 'columns', hidden: true },
    h('legend', {}, 'Columns'),
    notice.element,
    found,
    h('p', { class: 'problem', id: freshId('columns-problem'), hidden: true }),
    list,
  );
  let roles: [string, Field<Role>][] = [];
  let shared: readonly string[] = [];
  let shown = '';
  let asked = 0;

  const set = (name: string, role: Role) =>
    app.change(({ data }) => {
      const before = data.columns ?? { prompt: [], completion: '' };
      const wanted =
        role === 'prompt' ? [...before.prompt, name] : before.prompt.filter((one) => one !== name);
      // In the order of the file, whatever order they were chosen in; those of another file are forgotten.
      const order = roles.map(([column]) => column);
      const prompt = order.filter((column) => wanted.includes(column));
      const other = before.completion === name || !order.includes(before.completion);
      const completion = other ? '' : before.completion;
      const next: Columns = { prompt, completion: role === 'completion' ? name : completion };
      data.columns = next.prompt.length === 0 && next.completion === '' ? null : next;
    });
  const show = () => {
    const { columns } = app.config.value.data;
    for (const [name, field] of roles) {
      if (columns === null) field.show('none');
      else if (columns.completion === name) field.show('completion');
      else field.show(columns.prompt.includes(name) ? 'prompt' : 'none');
    }
    const names = roles.map(([name]) => name);
    setText(found, [explain(columns, names), alikeWords(shared)].filter(Boolean).join(' '));
  };
  const find = async () => {
    asked += 1;
    const mine = asked;
    const source = app.dataSource.value;
    const { format, encoding } = app.config.value.data;
    const names = source === null ? [] : await columnsOf(source.blob, source.name, format, encoding);
    if (mine !== asked) return;
    element.hidden = names.length === 0;
    if (names.join('\n') === shown) return show();
    shown = names.join('\n');
    const { own, shared: several } = distinctColumns(names);
    shared = several;
    roles = own.map((name) => [
      name,
      choiceField<Role>({
        label: name,
        help: `What the column ${name} is for. Several prompt columns are joined by line ends.`,
        choices: [
          ['none', 'not used'],
          ['prompt', 'prompt'],
          ['completion', 'completion'],
        ],
        onInput: (role) => set(name, role),
      }),
    ]);
    fill(list, ...roles.map(([, field]) => field.element));
    show();
    reveal();
  };
  // The reason may lie here.
  const reveal = () => {
    const details = element.closest('details');
    if (app.lab.data.value.status === 'failed' && roles.length > 0 && details !== null) details.open = true;
  };
  app.columnsNotice.watch((words) => notice.show(words));
  app.lab.data.subscribe(reveal);
  app.dataSource.watch(() => void find());
  let { format, encoding } = app.config.value.data;
  const take = ({ data }: Config) => {
    show();
    if (data.format === format && data.encoding === encoding) return;
    ({ format, encoding } = data);
    void find();
  };
  app.config.watchTo(
    ({ data }) => data,
    () => take(app.config.value),
  );
  return element;
}

function explain(columns: Columns | null, names: readonly string[]): string {
  if (columns === null) {
    return 'Names in common use, such as prompt and completion, are found by themselves. Choose where yours are called otherwise.';
  }
  const chosen = [...columns.prompt, columns.completion].filter((name) => name !== '');
  const missing = chosen.find((name) => !names.includes(name));
  if (missing !== undefined) return `There is no column ${missing} in this file. Choose others.`;
  return columnWords(columns);
}

/** Why columns that are called alike cannot be chosen. */
function alikeWords(names: readonly string[]): string {
  if (names.length === 0) return '';
  return `Several columns are called ${names.join(', and several ')}: give each a name of its own to choose it.`;
}
