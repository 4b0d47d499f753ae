import { failureBox, noticeBox } from '../controls/message';
import type { Experiment } from './experiment';
import { transport } from './transport';

/** Start, pause and stop, and what went wrong. */
export function transportPanel(app: Experiment): HTMLElement[] {
  const problem = failureBox();
  const notice = noticeBox();
  app.lab.failure.watch((failure) => problem.show(failure));
  const later = noticeBox();
  app.lab.notice.watch((words) => notice.show(words));
  app.lab.nextChoice.watch((next) => {
    const name = next?.engine === 'cpu' ? 'The CPU' : 'WebGPU';
    later.show(next === null ? '' : `${name} was chosen, and takes over when the next training starts.`);
  });
  return [transport(app), problem.element, notice.element, later.element];
}
