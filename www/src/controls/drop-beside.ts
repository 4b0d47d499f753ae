import './drop-beside.css';
import { fill, h, setText } from './dom';
import { openZones } from './drop-zone';
import { filesOf } from './dropped';
import { focusOn, headingOf } from './focus';

/**
 * Catches files that are dropped beside all zones, which the browser would open in place of the page: asks what they
 * are, and gives them to that zone. While files are dragged, the zones can be seen.
 */
export function catchDrops(): HTMLElement {
  const words = h('p', { role: 'status' });
  const choices = h('div', { class: 'row' });
  const element = h(
    'div',
    {
      class: 'dropped-beside',
      id: 'dropped-beside',
      role: 'group',
      'aria-label': 'Dropped files',
      hidden: true,
    },
    words,
    choices,
  );
  const close = () => {
    element.hidden = true;
  };
  const ask = (files: File[]) => {
    const zones = openZones();
    const [first] = files;
    const name = files.length === 1 && first !== undefined ? first.name : `${files.length} files`;
    setText(
      words,
      zones.length === 0
        ? `Nothing takes files here now, so ${name} was left alone. Stop the training, or choose another tab.`
        : `${name} fell beside the boxes that take files. What is it to be?`,
    );
    const buttons = zones.map(({ what, element: zone, take }) => {
      const onclick = () => {
        close();
        const heading = headingOf(zone);
        if (heading !== null) focusOn(heading);
        zone.scrollIntoView({ block: 'nearest' });
        take(files);
      };
      return h('button', { type: 'button', onclick }, what.charAt(0).toUpperCase() + what.slice(1));
    });
    fill(choices, ...buttons, h('button', { type: 'button', class: 'quiet', onclick: close }, 'Nothing'));
    element.hidden = false;
  };
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  const mark = (dragging: boolean) => document.body.classList.toggle('dragging-files', dragging);
  document.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  document.addEventListener('dragleave', (event) => {
    // Out of the window, and not from one element to the next.
    if (event.relatedTarget === null) mark(false);
  });
  document.addEventListener('drop', (event) => {
    mark(false);
    close();
    // A zone has taken it.
    if (event.defaultPrevented || !hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    void filesOf(event.dataTransfer).then((files) => files.length > 0 && ask(files));
  });
  element.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') close();
  });
  return element;
}
