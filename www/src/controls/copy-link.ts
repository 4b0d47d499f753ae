import './copy-link.css';
import { freshId, h, setText } from './dom';

interface CopyLinkOptions {
  id: string;
  label: string;
  link(): Promise<string>;
  /** What is in the link and what is not, in a sentence. */
  about: string;
}

/** A button that copies a link; where the browser has no clipboard, a field from which it can be taken. */
export function copyLink({ id, label, link, about }: CopyLinkOptions): HTMLElement {
  const status = h('p', { class: 'hint', role: 'status' });
  const fieldId = freshId('link');
  const field = h('input', { type: 'text', id: fieldId, readonly: true, onfocus: () => field.select() });
  const byHand = h(
    'div',
    { class: 'field', hidden: true },
    h('label', { for: fieldId }, 'Link to copy'),
    field,
  );
  const copy = async () => {
    const made = await link();
    try {
      await navigator.clipboard.writeText(made);
      byHand.hidden = true;
      setText(status, `The link was copied. ${about}`);
    } catch {
      // Insecure origins have no clipboard, and a user may refuse it.
      field.value = made;
      byHand.hidden = false;
      setText(status, `The browser did not let the page copy: take the link from the field. ${about}`);
      field.focus();
    }
  };
  const button = h('button', { type: 'button', class: 'quiet', id, onclick: () => void copy() }, label);
  return h('div', { class: 'link-place' }, button, status, byHand);
}
