import { enter, type Setting, shownOf } from '../config/setting';
import type { TheorySettings } from '../protocol';
import { failed, type Result, success } from '../result';
import { checkTheory } from './check';
import { defaultTheory } from './config';
import { problemSettings, rateChoice, rateSettings } from './settings';

const ROUTE = '#theory/';
/** What a link carries and the page does not show. */
const DAMPING = 'damping';

/** A link to `page` that shows this problem. Its parts can be read and changed by hand. */
export function theoryLink(page: string, settings: TheorySettings): string {
  const rates = settings.best_of_grid ? [rateChoice] : rateSettings;
  const parts = new URLSearchParams({ [DAMPING]: String(settings.problem.damping) });
  for (const setting of [...problemSettings, ...rates]) {
    parts.set(setting.field, String(shownOf(setting, settings)));
  }
  return page.replace(/#.*$/, '') + ROUTE + parts;
}

/** The problem in the fragment of an address, with defaults for what it does not name; null where it carries none. */
export function readTheoryLink(fragment: string): Result<TheorySettings> | null {
  if (!fragment.startsWith(ROUTE)) return null;
  const parts = new URLSearchParams(fragment.slice(ROUTE.length));
  if (parts.size === 0) return null;
  const settings = defaultTheory();
  const { problem } = settings;
  problem.damping = numberOf(parts.get(DAMPING)) ?? problem.damping;
  if (!(problem.damping > 0 && Number.isFinite(problem.damping))) {
    return unreadable('damping must be a number above 0');
  }
  settings.best_of_grid = parts.get(rateChoice.field) === 'grid';
  for (const setting of [...problemSettings, ...rateSettings]) {
    const text = parts.get(setting.field);
    if (text === null) continue;
    if (!fits(setting, text)) return unreadable(`there is no ${setting.field} ${text}`);
    enter(setting, settings, setting.kind === 'number' ? numberOf(text) : text);
  }
  const [wrong] = checkTheory(settings).values();
  return wrong === undefined ? success(settings) : unreadable(wrong.replace(/\.$/, ''));
}

function fits(setting: Setting<TheorySettings>, text: string): boolean {
  return setting.kind !== 'choice' || setting.choices.some(([choice]) => choice === text);
}

function numberOf(text: string | null): number | null {
  if (text === null) return null;
  return text.trim() === '' ? Number.NaN : Number(text);
}

function unreadable(reason: string): Result<TheorySettings> {
  return failed(
    'theory',
    `The problem in this link was not taken: ${reason}. What you see is this page's own.`,
  );
}
