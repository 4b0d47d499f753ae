import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { defaultConfig } from '../src/config/defaults';
import { keepConfig, recallConfig } from '../src/language/settings-store';
import { forgetRemembered, rememberNow } from '../src/store/remembered';

/** As much of a browser's storage as is used, with its keys as properties. */
class FakeStorage {
  [key: string]: unknown;

  getItem(key: string): string | null {
    return Object.hasOwn(this, key) ? String(this[key]) : null;
  }

  setItem(key: string, text: string): void {
    this[key] = text;
  }

  removeItem(key: string): void {
    delete this[key];
  }
}

function newTab(): void {
  // What a tab is left with is kept.
  rememberNow();
  vi.stubGlobal('sessionStorage', new FakeStorage());
}

const ofRank = (rank: number) => ({ ...defaultConfig(), session: { ...defaultConfig().session, rank } });

beforeEach(() => vi.stubGlobal('localStorage', new FakeStorage()));
afterEach(() => vi.unstubAllGlobals());

test('a tab finds its own settings again, whatever another tab has kept since', () => {
  newTab();
  keepConfig(ofRank(2));
  rememberNow();
  const mine = globalThis.sessionStorage;
  newTab();
  expect(recallConfig().config.session.rank).toBe(2);
  keepConfig(ofRank(4));
  rememberNow();
  vi.stubGlobal('sessionStorage', mine);
  expect(recallConfig().config.session.rank).toBe(2);
  newTab();
  expect(recallConfig().config.session.rank).toBe(4);
});

test('what is forgotten is forgotten in this tab too', () => {
  newTab();
  keepConfig(ofRank(2));
  rememberNow();
  keepConfig(ofRank(4));
  globalThis.localStorage.setItem('of another page', 'stays');
  forgetRemembered('riemann-lora');
  rememberNow();
  expect(recallConfig()).toEqual({ config: defaultConfig(), notes: [] });
  expect(globalThis.localStorage.getItem('of another page')).toBe('stays');
});

test('where storage is forbidden, every visit is the first', () => {
  vi.stubGlobal('sessionStorage', undefined);
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get: () => {
      throw new DOMException('no', 'SecurityError');
    },
  });
  keepConfig(ofRank(2));
  rememberNow();
  expect(recallConfig()).toEqual({ config: defaultConfig(), notes: [] });
});

test('what is typed is kept once, when nothing has changed for a moment', () => {
  vi.useFakeTimers();
  newTab();
  const set = vi.spyOn(globalThis.localStorage, 'setItem');
  for (const rank of [1, 12, 123]) {
    keepConfig(ofRank(rank));
    vi.advanceTimersByTime(100);
  }
  expect(set).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(set).toHaveBeenCalledTimes(1);
  expect(recallConfig().config.session.rank).toBe(123);
  vi.useRealTimers();
});
