import { methodOf } from '../config/methods';
import { fill, givenName, h } from '../controls/dom';
import type { Signal } from '../signal';
import type { RunBook } from './book';
import type { RunRecord } from './record';
import { columns, nameColumn, shownRuns, type TableView } from './table';

// What files are called.
const GIVEN = ['Model', 'Data'];

function told(column: string, text: string): HTMLElement | string {
  return GIVEN.includes(column) ? givenName(text) : text;
}

/** The runs of the view, one a row: chosen by a box, renamed in place, sorted by their heads. */
export function runsTable(book: RunBook, view: Signal<TableView>, chosen: Signal<ReadonlySet<string>>) {
  const all = h('input', {
    type: 'checkbox',
    'aria-label': 'Choose all runs that are shown',
    onchange: () => chosen.set(all.checked ? new Set(shown().map(({ id }) => id)) : new Set()),
  });
  const heads = [nameColumn, ...columns].map(({ name }) => {
    const arrow = h('span', { 'aria-hidden': 'true', class: 'sort-arrow' });
    const button = h('button', { type: 'button', class: 'sort', onclick: () => sortBy(name) }, name, arrow);
    return { name, arrow, cell: h('th', { scope: 'col', 'data-column': name }, button) };
  });
  const body = h('tbody', {});
  const table = h(
    'table',
    { id: 'runs-table' },
    h('caption', { class: 'unseen' }, 'Runs that were trained in this browser'),
    h('thead', {}, h('tr', {}, h('td', {}, all), ...heads.map(({ cell }) => cell))),
    body,
  );
  const frame = { class: 'scroll runs-frame', tabindex: '0', role: 'region', 'aria-label': 'All runs' };
  const element = h('div', frame, table);
  const shown = () => shownRuns(book.runs.value, view.value);
  const sortBy = (name: string) => {
    const { sortBy: before, direction } = view.value;
    // Once more turns it around.
    const other = direction === 'ascending' ? 'descending' : 'ascending';
    view.patch({ sortBy: name, direction: name === before ? other : 'ascending' });
  };
  const choose = (id: string, on: boolean) => {
    const next = new Set(chosen.value);
    if (on) next.add(id);
    else next.delete(id);
    chosen.set(next);
  };
  const row = (run: RunRecord) => {
    const box = h('input', {
      type: 'checkbox',
      'aria-label': `Choose ${run.name}`,
      'data-focus': `choose ${run.id}`,
      checked: chosen.value.has(run.id),
      onchange: () => choose(run.id, box.checked),
    });
    const name = h('input', {
      type: 'text',
      'aria-label': `Name of ${run.name}`,
      'data-focus': `name ${run.id}`,
      autocomplete: 'off',
      spellcheck: 'false',
      value: run.name,
      onchange: () => {
        const words = name.value.trim();
        if (words === '') name.value = run.name;
        else
          void book.change(new Set([run.id]), (record) => {
            record.name = words;
          });
      },
      onkeydown: (event: KeyboardEvent) => {
        if (event.key === 'Enter') name.blur();
        if (event.key === 'Escape') name.value = run.name;
      },
    });
    const cells = columns.map((column) => {
      const diverged = column.name === 'End' && run.divergedAt !== null;
      return h(
        'td',
        { 'data-column': column.name, class: diverged ? 'diverged' : '' },
        told(column.name, column.text(run)),
      );
    });
    const state = { 'data-run': run.name, 'data-method': methodOf(run.optimizer) };
    return h(
      'tr',
      { ...state, class: run.hidden ? 'hidden-run' : '' },
      h('td', {}, box),
      h('th', { scope: 'row' }, name),
      ...cells,
    );
  };
  const draw = () => {
    const focused = document.activeElement?.getAttribute('data-focus');
    const runs = shown();
    fill(body, ...runs.map(row));
    for (const { name, arrow, cell } of heads) {
      const sorted = name === view.value.sortBy;
      if (sorted) cell.setAttribute('aria-sort', view.value.direction);
      else cell.removeAttribute('aria-sort');
      arrow.textContent = sorted ? (view.value.direction === 'ascending' ? ' ↑' : ' ↓') : '';
    }
    all.checked = runs.length > 0 && runs.every(({ id }) => chosen.value.has(id));
    element.hidden = runs.length === 0;
    // New elements took the place of the one that was used.
    if (focused) body.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  };
  book.runs.watch(draw);
  book.underWay.watch((changes) => table.setAttribute('aria-busy', `${changes > 0}`));
  view.subscribe(draw);
  chosen.subscribe(draw);
  return element;
}
