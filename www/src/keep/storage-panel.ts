import './storage-panel.css';
import { fill, h, setText } from '../controls/dom';
import { failureBox } from '../controls/message';
import { wordsOf } from '../result';
import { freed, type Owners, type StoredThing, storageRoom, storedThings } from '../store/usage';
import { bytes } from '../words/numbers';
import type { KeptTrainings } from './kept-trainings';

/** What the browser keeps for this page, how much of it, and how to free it. */
export function storagePanel(
  trainings: Readonly<Record<string, KeptTrainings>>,
  books: Owners['books'],
): HTMLElement {
  const list = h('ul', { class: 'stored' });
  const room = h('p', { class: 'hint' });
  const status = h('p', { class: 'hint', role: 'status' });
  const failure = failureBox();
  const persist = h(
    'button',
    { type: 'button', id: 'persist', hidden: true, onclick: () => void askToPersist() },
    'Ask the browser to keep it',
  );

  const free = async ({ name, bytes: size, free: act }: StoredThing) => {
    try {
      await act();
      failure.show(null);
      setText(status, `${name}: ${bytes(size)} freed.`);
    } catch (thrown) {
      const message = `${name} was not freed: ${wordsOf(thrown)}. Close other tabs of this page and try again.`;
      failure.show({ place: 'storage', field: null, message });
    }
    freed.set(freed.value + 1);
    await show();
    // The button that had the focus is gone.
    summary.focus();
  };
  const rowOf = (thing: StoredThing) => {
    const label = `Free ${thing.name}`;
    const onclick = () => void free(thing);
    const button = h(
      'button',
      { type: 'button', class: 'quiet small', 'aria-label': label, onclick },
      'Free',
    );
    const size = h('span', { class: 'stored-size' }, bytes(thing.bytes));
    return h('li', {}, h('span', { class: 'stored-name' }, thing.name), size, button);
  };
  const show = async () => {
    const [things, known] = await Promise.all([storedThings({ folders: trainings, books }), storageRoom()]);
    if (things.length === 0) fill(list, h('li', {}, 'Nothing is kept.'));
    else fill(list, ...things.map(rowOf));
    persist.hidden = known === null || known.persistent;
    setText(room, known === null ? 'This browser does not tell how much it keeps.' : roomWords(known));
  };
  const askToPersist = async () => {
    const granted = await navigator.storage.persist();
    const refused =
      'The browser did not agree. It often does once a page was bookmarked, installed or visited several times.';
    setText(status, granted ? 'The browser will keep it until you free it.' : refused);
    await show();
    if (persist.hidden) summary.focus();
  };
  const roomWords = ({ used, quota, persistent }: { used: number; quota: number; persistent: boolean }) => {
    const promise = persistent
      ? 'It stays until you free it.'
      : 'The browser may clear it when the disk is nearly full.';
    return `In all ${bytes(used)} of the ${bytes(quota)} that this browser allows. ${promise}`;
  };
  const summary = h('summary', {}, 'Storage');
  const element = h(
    'details',
    { class: 'storage', id: 'storage' },
    summary,
    h('div', { class: 'stack' }, list, room, persist, status, failure.element),
  );
  element.addEventListener('toggle', () => {
    if (element.open) void show();
  });
  // What is kept changes while the panel is open; a button that has the focus stays.
  for (const { offers } of Object.values(trainings)) {
    offers.subscribe(() => {
      if (element.open && !list.contains(document.activeElement)) void show();
    });
  }
  return element;
}
