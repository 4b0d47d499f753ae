import type { App } from './app';

/** What end-to-end tests need to do and no user can. Only there with `?test-hooks` in the address. */
export interface TestHooks {
  /** Ends a worker as the browser does when it runs out of memory. */
  crashWorker(index: number): void;
  /** Losses of a run, unrounded. */
  losses(run: number): (number | null)[];
}

declare global {
  interface Window {
    testHooks?: TestHooks;
  }
}

export function installTestHooks(app: App): void {
  window.testHooks = {
    crashWorker: (index) => app.lab.trainees[index]?.seat.crash('The worker was ended by a test.'),
    losses: (run) => [...(app.metrics.value?.runs[run]?.losses ?? [])],
  };
}
