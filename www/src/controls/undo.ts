import './undo.css';
import { h, setText } from './dom';
import { isFocusable } from './focus';

/** What was thrown away, and how it comes back. */
export interface Discarded {
  /** `2 runs deleted.` */
  words: string;
  bringBack(): void | Promise<void>;
  /** What is said when it is back: `2 runs brought back.` */
  backWords: string;
}

/** Where what was thrown away can be brought back. */
export type UndoPlace = ReturnType<typeof undoPlace>;

/** A place beside an action that throws something away: it says what, and brings it back until something else is said. */
export function undoPlace(id: string, label = 'Bring back') {
  let discarded: Discarded | null = null;
  let from: Element | null = null;
  const status = h('p', { class: 'status', role: 'status', id: `${id}-status` });
  const show = () => {
    button.hidden = discarded === null;
  };
  const say = (words: string) => {
    discarded = null;
    setText(status, words);
    show();
  };
  const bringBack = async () => {
    if (discarded === null) return;
    const { bringBack: act, backWords } = discarded;
    say(backWords);
    await act();
    // Where the button went away with what it brought back, the focus goes to where it came from.
    if (button.hidden && from instanceof HTMLElement && isFocusable(from))
      from.focus({ preventScroll: true });
  };
  const button = h(
    'button',
    { type: 'button', class: 'quiet', id: `${id}-undo`, hidden: true, onclick: () => void bringBack() },
    label,
  );
  return {
    status,
    button,
    /** Both, in a row. */
    get element() {
      return h('div', { class: 'row undo' }, status, button);
    },
    say,
    /** `takesFocus` where the control that was used is gone. */
    offer(what: Discarded, takesFocus = false) {
      if (document.activeElement !== button) from = document.activeElement;
      discarded = what;
      setText(status, what.words);
      show();
      if (takesFocus) button.focus();
    },
    /** Whether it may be brought back now. */
    enable(on: boolean) {
      button.disabled = !on;
    },
  };
}
