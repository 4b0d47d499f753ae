import { failureBox, noticeBox } from '../controls/message';
import type { Experiment } from './experiment';
import { transport } from './transport';

/** Start, pause and stop, and what went wrong. */
export function transportPanel(app: Experiment): HTMLElement[] {
  const problem = failureBox();
  const notice = noticeBox();
  app.lab.failure.watch((failure) => problem.show(failure));
  app.lab.notice.watch((words) => notice.show(words));
  return [transport(app), problem.element, notice.element];
}
