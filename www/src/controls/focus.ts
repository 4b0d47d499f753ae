import { inFrame } from './frame';

/** Where an element stands: its parents, and its place in each. */
interface Place {
  element: HTMLElement;
  way: { parent: HTMLElement; index: number }[];
}

/** What items are removed from one by one. */
const LISTS = 'ol, ul, tbody, dl';
const CONTROLS = 'button, input, select, textarea, summary, a[href], [tabindex="0"]';

/** Whether an element can have the focus now. */
export function isFocusable(element: HTMLElement): boolean {
  if (!element.isConnected || element.matches(':disabled')) return false;
  return element.closest('[inert]') === null && element.checkVisibility();
}

/** The heading that an element stands below; null where it has none. */
export function headingOf(element: Element): HTMLElement | null {
  for (let place: Element | null = element; place !== null; place = place.parentElement) {
    const headings = [...place.querySelectorAll<HTMLElement>('h1, h2, h3, h4')];
    const seen = headings.filter((heading) => heading.checkVisibility());
    const before = seen.filter(
      (heading) => heading.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING,
    );
    const found = before.at(-1) ?? seen[0];
    if (found !== undefined) return found;
  }
  return null;
}

/**
 * Sees to it that keyboards and screen readers never fall to the top of the page. Where what had the focus is removed,
 * the focus goes to what takes its place in the list, else to the heading that it stood below. Where it is only
 * disabled or hidden, the focus waits at that heading, and comes back with it.
 */
export function keepFocus(): void {
  let last: Place | null = null;
  let waiting: { element: HTMLElement; at: HTMLElement } | null = null;
  const check = inFrame(() => {
    const now = document.activeElement;
    if (!document.hasFocus() || last === null) return;
    if (waiting !== null && now === waiting.at && isFocusable(waiting.element)) {
      waiting.element.focus({ preventScroll: true });
      return;
    }
    const lost = now === null || now === document.body || now === last.element;
    if (!lost || isFocusable(last.element)) return;
    const { element } = last;
    const next = element.isConnected ? standIn(element) : successor(last);
    if (next === null) return;
    focusOn(next);
    if (element.isConnected) waiting = { element, at: next };
  });
  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof HTMLElement)) return;
    last = placeOf(target);
    if (target !== waiting?.at) waiting = null;
  });
  document.addEventListener('focusout', check);
  // Who points elsewhere has left it.
  document.addEventListener('pointerdown', ({ target }) => {
    if (target instanceof Node && last?.element.contains(target)) return;
    last = null;
    waiting = null;
  });
  new MutationObserver(check).observe(document.body, {
    subtree: true,
    childList: true,
    attributeFilter: ['disabled', 'hidden', 'inert', 'open'],
  });
}

/** Gives the focus to a heading too, which has none by itself. */
export function focusOn(element: HTMLElement): void {
  if (!element.matches(`${CONTROLS}, [tabindex]`)) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

function placeOf(element: HTMLElement): Place {
  const way: Place['way'] = [];
  let child = element;
  for (let parent = child.parentElement; parent !== null; parent = child.parentElement) {
    way.push({ parent, index: [...parent.children].indexOf(child) });
    child = parent;
  }
  return { element, way };
}

/** What has the focus for an element that cannot have it now. */
function standIn(element: HTMLElement): HTMLElement | null {
  const summary = element.closest('details:not([open])')?.querySelector('summary') ?? null;
  return summary !== null && isFocusable(summary) ? summary : headingOf(element);
}

/** What has the focus after an element that is gone: the same control of the next item, or of the one before. */
function successor({ way }: Place): HTMLElement | null {
  const level = way.findIndex(({ parent }) => parent.isConnected);
  const place = way[level];
  if (place === undefined) return null;
  const { parent, index } = place;
  if (!parent.matches(LISTS)) return standIn(parent);
  const item = parent.children[Math.min(index, parent.children.length - 1)];
  if (item === undefined) return standIn(parent);
  const below = way.slice(0, level).reverse();
  let same: Element | undefined = item;
  for (const step of below) same = same?.children[step.index];
  const controls = [same, ...item.querySelectorAll(CONTROLS)];
  const found = controls.find(
    (one) => one instanceof HTMLElement && one.matches(CONTROLS) && isFocusable(one),
  );
  return found instanceof HTMLElement ? found : standIn(parent);
}
