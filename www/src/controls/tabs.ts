import './tabs.css';
import { wordsOf } from '../result';
import { byId, fill, h } from './dom';
import { failureBox } from './message';

type View = 'language' | 'claims' | 'sweep' | 'runs' | 'images' | 'theory';

/** Each view has a link of its own, `#theory` and the like; what is no view's name belongs to the first. */
const views: readonly { name: View; label: string; skip: string; skipTo: string }[] = [
  { name: 'language', label: 'Language', skip: 'Skip to training', skipTo: '#train' },
  { name: 'claims', label: 'Claims', skip: 'Skip to the claims', skipTo: '#claims' },
  { name: 'sweep', label: 'Sweep', skip: 'Skip to the results', skipTo: '#sweep-results' },
  { name: 'runs', label: 'Runs', skip: 'Skip to the table', skipTo: '#runs-all' },
  { name: 'images', label: 'Images', skip: 'Skip to training', skipTo: '#images-train' },
  { name: 'theory', label: 'Theory', skip: 'Skip to the curves', skipTo: '#theory-curves' },
];

/** Makes a view, after its code has come. */
export type MakeView = () => Promise<HTMLElement[]>;

/** Links between views. A view of `later` is made when it is first shown. */
export function tabs(bar: HTMLElement, later: Partial<Record<View, MakeView>>): void {
  const made = new Set<View>();
  const links = views.map(({ name, label }) => h('a', { href: `#${name}` }, label));
  fill(bar, ...links);
  const fetchView = async (name: View, label: string, make: MakeView) => {
    made.add(name);
    const place = byId(`${name}-view`);
    fill(place, h('p', { class: 'hint', role: 'status' }, `Loading ${label} …`));
    try {
      fill(place, ...(await make()));
      show();
    } catch (thrown) {
      const box = failureBox();
      fill(place, box.element);
      const message = `${label} could not be loaded (${wordsOf(thrown)}). Reload the page when there is a network.`;
      box.show({ place: name, field: null, message });
      // Coming back tries again.
      made.delete(name);
    }
  };
  const show = () => {
    const shown = views.find(({ name }) => location.hash.startsWith(`#${name}`)) ?? views[0];
    for (const [index, { name, label, skip, skipTo }] of views.entries()) {
      const current = name === shown?.name;
      byId(`${name}-view`).hidden = !current;
      if (current) links[index]?.setAttribute('aria-current', 'page');
      else links[index]?.removeAttribute('aria-current');
      if (!current) continue;
      const link = byId('skip');
      // A view that is not made yet has nothing to skip to but itself.
      link.setAttribute('href', document.querySelector(skipTo) === null ? `#${name}-view` : skipTo);
      link.textContent = skip;
      const make = later[name];
      if (make !== undefined && !made.has(name)) void fetchView(name, label, make);
    }
  };
  addEventListener('hashchange', show);
  show();
}
