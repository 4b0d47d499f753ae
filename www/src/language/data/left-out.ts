import { h } from '../../controls/dom';
import type { DatasetStatistics, SkipReason } from '../../protocol';
import { count, plural } from '../../words/numbers';

const reasons: Record<SkipReason, string> = {
  unreadable: 'cannot be read',
  field: 'have fields that cannot be used',
  no_answer: 'have no answer',
  empty_answer: 'have an empty answer',
  template: 'do not fit the chat template',
  tokenizer: 'cannot be tokenised',
  too_large: 'are too large',
};

/** Rows that nothing is learned from, each reason with its number and the first rows with their words; empty where there are none. */
export function leftOut({ skipped, control_in_text }: DatasetStatistics): HTMLElement[] {
  const rows = skipped.counts.reduce((sum, { rows }) => sum + rows, 0);
  const said: HTMLElement[] = [];
  if (rows > 0) {
    const why = skipped.counts.map(({ reason, rows }) => `${count(rows)} ${reasons[reason]}`).join(', ');
    const first = skipped.first.map(({ file, line, problem }) =>
      h('li', { dir: 'auto' }, `${file}, line ${line}: ${problem}.`),
    );
    said.push(
      h(
        'div',
        { class: 'message warn' },
        h('p', {}, `${plural(rows, 'row')} left out: ${why}.`),
        h('ul', {}, ...first),
      ),
    );
  }
  if (control_in_text.rows > 0) {
    const { rows, line, token } = control_in_text;
    said.push(
      h(
        'p',
        { class: 'message' },
        `${plural(rows, 'row')} with a control token written out (${token}, first in line ${line}): it is learned as the text that it is, and ends nothing.`,
      ),
    );
  }
  return said;
}
