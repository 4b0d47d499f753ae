import { h } from '../../controls/dom';
import { failureBox, noticeBox } from '../../controls/message';
import { progressBar } from '../../controls/progress';
import type { DataSource } from '../../lab/language';
import { readable } from './readable';

/** A place that makes text of chosen files, and says how far it is, what cannot be read and what is to be known. */
export function openFile(name: string) {
  let running: AbortController | null = null;
  const problem = failureBox();
  const notice = noticeBox();
  const progress = progressBar(name, () => running?.abort());
  const open = async (file: DataSource, take: (source: DataSource) => void) => {
    // The file that was chosen last is meant.
    running?.abort();
    const mine = new AbortController();
    running = mine;
    problem.show(null);
    notice.show('');
    const read = await readable(file, progress.show, mine.signal);
    if (running !== mine) return;
    running = null;
    progress.show(null);
    if (!read.ok) return problem.show(read.failure);
    notice.show(read.value.note);
    take(read.value.source);
  };
  return {
    element: h('div', { class: 'stack' }, progress.element, problem.element, notice.element),
    open: (file: DataSource, take: (source: DataSource) => void) => void open(file, take),
  };
}
