import '../../experiment/welcome.css';
import { h } from '../../controls/dom';
import { failureBox } from '../../controls/message';
import { bytes } from '../../words/numbers';
import type { App } from '../app';
import { TINY } from '../model/tiny-model';
import { trainNow } from './first-minute';
import { startTour } from './tour';
import { dismissWelcome, isWelcomeDismissed } from './welcome-store';

/** The first thing a newcomer sees: one button that trains, and one that explains. */
export function welcome(app: App): HTMLElement | null {
  if (isWelcomeDismissed()) return null;
  const problem = failureBox();
  const begin = async () => {
    problem.show(null);
    document.getElementById('train')?.scrollIntoView({ block: 'start' });
    const answer = await trainNow(app);
    if (!answer.ok) problem.show(answer.failure);
  };
  const train = h(
    'button',
    { type: 'button', id: 'train-now', class: 'primary large', onclick: () => void begin() },
    'Train now',
  );
  const tour = h('button', { type: 'button', id: 'tour', onclick: () => startTour() }, 'Show me around');
  const dismiss = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      onclick: () => {
        dismissWelcome();
        element.remove();
        document.getElementById('train')?.focus();
      },
    },
    'Hide this',
  );
  const element = h(
    'section',
    { class: 'welcome made', id: 'welcome', 'aria-labelledby': 'welcome-title' },
    h(
      'div',
      { class: 'welcome-words' },
      h('h2', { id: 'welcome-title' }, 'See it in a minute'),
      h(
        'p',
        {},
        `Train now takes the ${TINY.name} that comes with this page (${TINY.about}, ${bytes(TINY.bytes)}) and example ` +
          'data, and fine-tunes it twice at once: with plain AdamW, and with the paper’s preconditioner. Same start, ' +
          'same batches. It puts its own settings in place of those below.',
      ),
      problem.element,
    ),
    h('div', { class: 'row' }, train, tour, dismiss),
  );
  const update = () => {
    train.disabled = app.locked || app.lab.engineReport.value.status !== 'ready';
  };
  app.lab.phase.watch(update);
  app.lab.engineReport.watch(update);
  return element;
}
