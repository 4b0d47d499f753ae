import './drop-zone.css';
import { plural } from '../words/numbers';
import { h, setText } from './dom';
import { filesOf } from './dropped';
import { fileButton } from './file-button';
import { isFocusable } from './focus';

interface DropOptions {
  /** What files become here: `a model`. */
  what: string;
  words: string;
  /** Of the button, for those who do not drag. */
  choose: string;
  accept: string;
  /** Whether a folder may be chosen too. */
  folder: boolean;
  /** Which of several files are taken; without it, all are. */
  pick?(files: File[]): readonly File[];
  /** Why the others are not: `One file is read at a time.` */
  why?: string;
  onFiles(files: File[]): void;
}

/** A place that takes files. */
export interface DropZone {
  what: string;
  element: HTMLElement;
  take(files: File[]): void;
}

const zones = new WeakMap<Element, DropZone>();

/** The zones of the view that is shown that take files now, those in closed boxes too. */
export function openZones(): DropZone[] {
  const all = [...document.querySelectorAll('.drop')].flatMap((element) => zones.get(element) ?? []);
  return all.filter(({ element }) => {
    if (element.closest('[hidden], [inert]') !== null) return false;
    const box = element.closest('details');
    return isFocusable(box ?? element);
  });
}

/** Takes dropped files and folders, and offers buttons that do the same. Files that are left out are named. */
export function dropZone(options: DropOptions): HTMLElement {
  const left = h('p', { class: 'hint', role: 'status', hidden: true });
  const take = (files: File[]) => {
    if (files.length === 0) return;
    const picked = options.pick?.(files) ?? files;
    const others = files.filter((file) => !picked.includes(file)).map(({ name }) => name);
    setText(left, others.length === 0 ? '' : `${namesOf(others)} not taken. ${options.why ?? ''}`);
    left.hidden = others.length === 0;
    options.onFiles([...picked]);
  };
  const element = h(
    'div',
    {
      class: 'drop',
      ondragover: (event: DragEvent) => {
        event.preventDefault();
        element.classList.add('over');
      },
      ondragleave: () => element.classList.remove('over'),
      ondrop: (event: DragEvent) => {
        event.preventDefault();
        element.classList.remove('over');
        if (event.dataTransfer !== null) void filesOf(event.dataTransfer).then(take);
      },
    },
    h('p', {}, options.words),
    h(
      'div',
      { class: 'row' },
      ...fileButton(options.choose, { accept: options.accept }, take),
      ...(options.folder ? fileButton('Choose a folder', { webkitdirectory: true }, take) : []),
    ),
  );
  zones.set(element, { what: options.what, element, take });
  return h('div', { class: 'drop-place' }, element, left);
}

// A folder from a hub has more than anyone wants to read.
const MOST_NAMED = 3;

/** `a.txt was`, `a.txt and b.txt were`, `a.txt, b.txt, c.txt and 4 files more were`. */
function namesOf(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  const told = [...names.slice(0, MOST_NAMED), ...(rest > 0 ? [`${plural(rest, 'file')} more`] : [])];
  return `${new Intl.ListFormat('en-GB').format(told)} ${names.length === 1 ? 'was' : 'were'}`;
}
