import type { TheorySettings } from '../protocol';
import { failed, type Result, success } from '../result';
import { checkTheory, defaultTheory, methods, problemNames, startNames } from './config';

const ROUTE = '#theory/';

/** A link to `page` that shows this problem. Its parts can be read and changed by hand. */
export function theoryLink(page: string, { problem, lr, best_of_grid }: TheorySettings): string {
  const parts = new URLSearchParams(Object.entries(problem).map(([name, value]) => [name, String(value)]));
  if (best_of_grid) parts.set('lr', 'grid');
  else for (const method of methods) parts.set(`lr.${method}`, String(lr[method]));
  return page.replace(/#.*$/, '') + ROUTE + parts;
}

/** The problem in the fragment of an address, with defaults for what it does not name; null where it carries none. */
export function readTheoryLink(fragment: string): Result<TheorySettings> | null {
  if (!fragment.startsWith(ROUTE)) return null;
  const parts = new URLSearchParams(fragment.slice(ROUTE.length));
  if (parts.size === 0) return null;
  const settings = defaultTheory();
  const { problem, lr } = settings;
  const number = (name: string, otherwise: number) => {
    const text = parts.get(name);
    return text === null ? otherwise : text.trim() === '' ? Number.NaN : Number(text);
  };
  const choice = <Name extends string>(name: string, names: Record<Name, string>, otherwise: Name) => {
    const text = parts.get(name) ?? otherwise;
    return Object.hasOwn(names, text) ? (text as Name) : null;
  };
  const kind = choice('problem', problemNames, problem.problem);
  const start = choice('start', startNames, problem.start);
  if (kind === null) return unreadable(`there is no problem ${parts.get('problem')}`);
  if (start === null) return unreadable(`there is no start ${parts.get('start')}`);
  Object.assign(problem, { problem: kind, start });
  for (const key of ['planted_condition', 'data_condition', 'rank', 'damping', 'seed'] as const) {
    problem[key] = number(key, problem[key]);
  }
  settings.best_of_grid = parts.get('lr') === 'grid';
  for (const method of methods) lr[method] = number(`lr.${method}`, lr[method]);
  if (!(problem.damping > 0 && Number.isFinite(problem.damping)))
    return unreadable('damping must be a number above 0');
  const [wrong] = checkTheory(settings).values();
  return wrong === undefined ? success(settings) : unreadable(wrong.replace(/\.$/, ''));
}

function unreadable(reason: string): Result<TheorySettings> {
  return failed(
    'theory',
    `The problem in this link was not taken: ${reason}. What you see is this page's own.`,
  );
}
