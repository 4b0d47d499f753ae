import './runs.css';
import { freeStyle } from '../charts/run-style';
import { h, setText } from '../controls/dom';
import { checkField } from '../controls/field';
import { fileButton } from '../controls/file-button';
import { failureBox, failurePlace, noticeBox } from '../controls/message';
import { undoPlace } from '../controls/undo';
import type { App } from '../language/app';
import { saveText } from '../share/save-text';
import { Signal } from '../signal';
import { plural } from '../words/numbers';
import type { RunBook } from './book';
import { runsCompare } from './compare-panel';
import { runsCsv } from './csv';
import { readResults } from './results-file';
import { defaultView, shownRuns, type TableView } from './table';
import { runsTable } from './table-panel';

/** Every run that was trained in this browser, and what can be done with it. */
export function runsView(app: App, book: RunBook): HTMLElement[] {
  const view = new Signal<TableView>(defaultView());
  const chosen = new Signal<ReadonlySet<string>>(new Set());
  const compared = new Signal<ReadonlySet<string>>(new Set());
  const unkept = failureBox();
  const notice = noticeBox();
  const undo = undoPlace('runs');
  const link = h('a', { href: '#settings', hidden: true }, 'Go to the table of runs');

  const say = (words: string, withLink = false) => {
    undo.say(words);
    link.hidden = !withLink;
  };
  const action = (id: string, label: string, onclick: () => void) =>
    h('button', { type: 'button', id, onclick }, label);
  const picked = () => book.runs.value.filter(({ id }) => chosen.value.has(id));
  const compare = action('runs-compare', 'Compare two', () => compared.set(chosen.value));
  const use = action('runs-use', 'Use these settings', () => {
    const runs = picked();
    app.change((config) => {
      for (const { name, optimizer } of runs) {
        const style = freeStyle(config.runs.map((run) => run.style));
        config.runs.push({ style, name, optimizer: structuredClone(optimizer) });
      }
    });
    say(
      `${plural(runs.length, 'run')} added to the Language tab; rank, steps and data are those set there.`,
      true,
    );
  });
  const hide = action('runs-hide', 'Hide', () => {
    const runs = picked();
    // All hidden ones: then they are shown again.
    const hidden = !runs.every((run) => run.hidden);
    void book.change(chosen.value, (run) => {
      run.hidden = hidden;
    });
    say(`${plural(runs.length, 'run')} ${hidden ? 'hidden' : 'shown again'}.`);
    if (hidden && !view.value.showHidden) chosen.set(new Set());
  });
  const remove = action('runs-delete', 'Delete', () => {
    const ids = chosen.value;
    void book.remove(ids).then((gone) => {
      chosen.set(new Set());
      link.hidden = true;
      const runs = plural(gone.length, 'run');
      const bringBack = () => book.add(gone);
      undo.offer({ words: `${runs} deleted.`, bringBack, backWords: `${runs} brought back.` }, true);
    });
  });
  const filter = h('input', {
    type: 'text',
    id: 'runs-filter',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'a name, a method, a model …',
    oninput: () => view.patch({ filter: filter.value }),
  });
  const hiddenToo = checkField('Show hidden', (showHidden) => view.patch({ showHidden }), 'runs-hidden');
  const save = saveText('the runs that are shown', 'Save these', [
    {
      form: 'CSV',
      file: 'runs.csv',
      type: 'text/csv',
      make: () => runsCsv(shownRuns(book.runs.value, view.value)),
    },
  ]);
  const unread = failurePlace();
  const openFiles = async (files: readonly File[]) => {
    unread.show(null);
    for (const file of files) {
      const read = await readResults(file);
      if (!read.ok) return unread.show(read.failure);
      const before = book.runs.value.length;
      await book.add(read.value.runs);
      const added = book.runs.value.length - before;
      say(
        `${file.name}: ${plural(read.value.runs.length, 'run')}, ${added <= 0 ? 'none of them' : added} new here.`,
      );
    }
  };
  const open = fileButton(
    'Open results',
    { accept: '.json', id: 'runs-open' },
    (files) => void openFiles(files),
  );
  const count = h('p', { class: 'hint', id: 'runs-count', role: 'status' });
  const empty = h('p', { class: 'hint' });
  const comparison = runsCompare(() => {
    compared.set(new Set());
    compare.focus();
  });

  const showButtons = () => {
    const runs = picked();
    compare.disabled = runs.length !== 2;
    use.disabled = runs.length === 0 || app.locked;
    hide.disabled = runs.length === 0;
    setText(hide, runs.length > 0 && runs.every((run) => run.hidden) ? 'Show again' : 'Hide');
    remove.disabled = runs.length === 0;
    const all = book.runs.value;
    const shown = shownRuns(all, view.value).length;
    const hidden = all.filter((run) => run.hidden).length;
    const parts = [
      `${plural(all.length, 'run')}`,
      `${shown} shown`,
      `${hidden} hidden`,
      `${runs.length} chosen`,
    ];
    setText(count, all.length === 0 ? '' : `${parts.join(', ')}.`);
    setText(
      empty,
      all.length === 0
        ? 'No runs yet. Every training and every sweep of this browser will be listed here.'
        : 'No run fits this filter.',
    );
    empty.hidden = shown > 0;
    save.hidden = shown === 0;
  };
  const showComparison = () => {
    const pair = book.runs.value.filter(({ id }) => compared.value.has(id));
    const [one, other] = pair;
    comparison.show(
      one !== undefined && other !== undefined ? [one, other] : null,
      app.config.value.view.smoothing,
    );
  };
  for (const signal of [chosen, view, book.runs, app.lab.phase, app.sweeping]) signal.subscribe(showButtons);
  showButtons();
  compared.subscribe(showComparison);
  book.runs.subscribe(showComparison);
  book.failure.watch((failure) => unkept.show(failure));
  book.notice.watch((words) => notice.show(words));
  return [
    h(
      'section',
      { id: 'runs-all', 'aria-labelledby': 'runs-title', tabindex: '-1' },
      h('h2', { id: 'runs-title' }, 'Runs'),
      unkept.element,
      notice.element,
      h(
        'div',
        { class: 'row between' },
        h(
          'div',
          { class: 'row runs-find' },
          h('label', { for: 'runs-filter' }, 'Filter'),
          filter,
          hiddenToo.element,
        ),
        h(
          'div',
          { class: 'row', role: 'group', 'aria-label': 'With the chosen runs' },
          compare,
          use,
          hide,
          remove,
        ),
      ),
      h(
        'div',
        { class: 'row between' },
        h('div', { class: 'row' }, count, save, ...open),
        h('div', { class: 'row' }, undo.status, link, undo.button),
      ),
      unread.element,
      runsTable(book, view, chosen),
      empty,
    ),
    comparison.element,
  ];
}
