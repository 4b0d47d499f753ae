import type { App } from './language/app';
import type { StepTimes } from './protocol';

/** What end-to-end tests need to do and no user can. The built page is without it; page tests serve it beside. */
export interface TestHooks {
  /** Ends a worker as the browser does when it runs out of memory. */
  crashWorker(index: number): void;
  /** Ends the first worker again and again, until `crashNoMore`. */
  crashAlways(): void;
  crashNoMore(): void;
  /** Takes the first worker's GPU away. */
  loseDevice(): Promise<void> | undefined;
  /** Losses of a run, unrounded. */
  losses(run: number): (number | null)[];
  /** Held-out losses of a run, unrounded. */
  validation(run: number): (number | null)[];
  /** Where the last step of the worker that holds a run went. */
  stepTimes(run: number): StepTimes | undefined;
}

declare global {
  interface Window {
    testHooks?: TestHooks;
  }
}

export function installTestHooks(app: App): void {
  const crashWorker = (index: number) => {
    app.lab.trainees[index]?.workers[0]?.seat.crash('The worker was ended by a test.');
  };
  let crashing: ReturnType<typeof setInterval> | undefined;
  window.testHooks = {
    crashWorker,
    crashAlways: () => {
      crashing = setInterval(() => crashWorker(0), 1);
    },
    crashNoMore: () => clearInterval(crashing),
    loseDevice: () => app.lab.trainees[0]?.workers[0]?.seat.loseDevice(),
    stepTimes: (run) => app.metrics.value?.lastTimes(run),
    validation: (run) => (app.metrics.value?.runs[run]?.validation ?? []).map(({ loss }) => loss),
    losses: (run) => [...(app.metrics.value?.runs[run]?.losses ?? [])],
  };
}
