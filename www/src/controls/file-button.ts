import { h } from './dom';

/** A button that lets the user choose files, with the hidden field behind it. */
export function fileButton(
  label: string,
  attributes: Record<string, string | boolean>,
  onFiles: (files: File[]) => void,
): [HTMLButtonElement, HTMLInputElement] {
  const input = h('input', {
    type: 'file',
    hidden: true,
    multiple: true,
    ...attributes,
    onchange: () => {
      const files = [...(input.files ?? [])];
      // The same file can be chosen once more.
      input.value = '';
      onFiles(files);
    },
  });
  return [h('button', { type: 'button', onclick: () => input.click() }, label), input];
}
