import './drop-zone.css';
import { h } from './dom';
import { filesOf } from './dropped';

interface DropOptions {
  words: string;
  /** Of the button, for those who do not drag. */
  choose: string;
  accept: string;
  /** Whether a folder may be chosen too. */
  folder: boolean;
  onFiles(files: File[]): void;
}

/** Takes dropped files and folders, and offers buttons that do the same. */
export function dropZone(options: DropOptions): HTMLElement {
  const picker = (attributes: Record<string, string | boolean>, label: string) => {
    const input = h('input', {
      type: 'file',
      hidden: true,
      multiple: true,
      ...attributes,
      onchange: () => {
        const files = [...(input.files ?? [])];
        input.value = '';
        if (files.length > 0) options.onFiles(files);
      },
    });
    const button = h('button', { type: 'button', onclick: () => input.click() }, label);
    return [button, input] as const;
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
        if (event.dataTransfer === null) return;
        void filesOf(event.dataTransfer).then((files) => {
          if (files.length > 0) options.onFiles(files);
        });
      },
    },
    h('p', {}, options.words),
    h(
      'div',
      { class: 'row' },
      ...picker({ accept: options.accept }, options.choose),
      ...(options.folder ? picker({ webkitdirectory: true }, 'Choose a folder') : []),
    ),
  );
  return element;
}
