import './estimate-panel.css';
import { h, setText } from '../../controls/dom';
import { isFailure } from '../../result';
import { bytes, plural } from '../../words/numbers';
import type { Experiment } from '../experiment';

/** What training needs of the machine, before it starts. */
export function estimatePanel(app: Experiment): HTMLElement {
  const words = h('p', {});
  const parts = h('p', { class: 'hint' });
  const meter = h('div', { class: 'meter' }, h('span', {}));
  const element = h(
    'div',
    { class: 'estimate', id: app.id('estimate'), role: 'group', 'aria-label': 'Memory' },
    words,
    meter,
    parts,
  );
  app.estimate.watch((state) => {
    element.classList.toggle('bad', isFailure(state) || (state !== null && !state.fits));
    meter.hidden = state === null || isFailure(state) || state.worker.limit === 0;
    parts.hidden = state === null || isFailure(state);
    if (state === null)
      return setText(words, 'Memory is estimated once there are a model, data and settings without errors.');
    if (isFailure(state)) return setText(words, state.message);
    const { worker, groups, shards, total, fits, tight, advice } = state;
    const workers = groups.length * shards;
    const limit = worker.limit > 0 ? ` of ${bytes(worker.limit)}` : '';
    const all = workers > 1 ? ` in each of ${workers} workers, ${bytes(total)} in all` : ' in one worker';
    const warning = tight ? ' That may be more than this machine has.' : '';
    setText(words, `Needs ${bytes(worker.total)}${limit}${all}.${fits ? warning : ` ${advice}`}`);
    const shared = shards > 1 ? ` Each batch is shared by ${shards} workers.` : '';
    const texts = worker.texts > 0 ? `, tokenizer and data ${bytes(worker.texts)}` : '';
    setText(
      parts,
      `Base ${bytes(worker.base)}${texts}, ${plural(Math.max(...groups.map((group) => group.length)), 'run')} ${bytes(
        worker.runs,
      )}, activations ${bytes(worker.activations)}.${shared}`,
    );
    const share = worker.limit > 0 ? Math.min(1, worker.total / worker.limit) : 0;
    meter.style.setProperty('--share', String(share));
  });
  return element;
}
