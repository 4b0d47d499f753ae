import '../../experiment/welcome.css';
import { h } from '../../controls/dom';
import { failureBox } from '../../controls/message';
import { undoPlace } from '../../controls/undo';
import { bytes } from '../../words/numbers';
import type { App } from '../app';
import { TINY } from '../model/tiny-model';
import { trainNow } from './first-minute';
import { startTour } from './tour';
import { dismissWelcome, isWelcomeDismissed, recallWelcome } from './welcome-store';
import { why } from './why';

/** The first thing a newcomer sees: one button that trains, and one that explains. `again` has both for later. */
export function welcome(app: App) {
  const problem = failureBox();
  const yours = undoPlace('train-now', 'Back to mine');
  const begin = async () => {
    problem.show(null);
    yours.say('');
    const training = document.getElementById('train');
    training?.scrollIntoView({ block: 'start' });
    // The button cannot be pressed again for a while, and what it began is there.
    training?.focus({ preventScroll: true });
    const answer = await trainNow(app, ({ words, bringBack }) =>
      yours.offer({
        words: `Train now put its own in place of your ${words}.`,
        bringBack,
        backWords: `Your ${words} came back.`,
      }),
    );
    if (!answer.ok) problem.show(answer.failure);
  };
  const train = h(
    'button',
    { type: 'button', id: 'train-now', class: 'primary large', onclick: () => void begin() },
    'Train now',
  );
  const tour = h('button', { type: 'button', id: 'tour', onclick: () => startTour() }, 'Show me around');
  const dismiss = h('button', { type: 'button', class: 'quiet', onclick: () => hide() }, 'Hide this');
  const hidden = undoPlace('welcome');
  const place = h('div', { class: 'welcome-hidden', hidden: true }, hidden.element);
  const title = h('h2', { id: 'welcome-title', tabindex: '-1' }, 'See it in a minute');
  const element = h(
    'section',
    {
      class: 'welcome made',
      id: 'welcome',
      'aria-labelledby': 'welcome-title',
      hidden: isWelcomeDismissed(),
    },
    h(
      'div',
      { class: 'welcome-words' },
      title,
      h(
        'p',
        {},
        `Train now takes the ${TINY.name} that comes with this page (${TINY.about}, ${bytes(TINY.bytes)}) and example ` +
          'data, and holds a small tournament: SGD and AdamW, plain and with the paper’s preconditioner, each at three ' +
          'learning rates, from the same start on the same batches. It puts its own settings in place of those below.',
      ),
      h('div', { class: 'row' }, train, tour, dismiss),
      problem.element,
      yours.element,
    ),
    why(),
  );
  const show = () => {
    recallWelcome();
    element.hidden = false;
    place.hidden = true;
    recall.hidden = true;
  };
  const hide = () => {
    dismissWelcome();
    element.hidden = true;
    place.hidden = false;
    recall.hidden = false;
    const words = 'Hidden, on later visits too. At the end of the page it can be shown again.';
    hidden.offer({ words, bringBack: show, backWords: '' }, true);
  };
  const recall = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      id: 'recall-welcome',
      hidden: !element.hidden,
      onclick: () => {
        location.hash = '#language';
        show();
        // Its first button cannot have the focus while the engine starts.
        title.focus();
      },
    },
    'Show the first minute again',
  );
  const tourAgain = h(
    'button',
    { type: 'button', class: 'quiet', id: 'tour-again', onclick: () => startTour() },
    'Show me around',
  );
  const update = () => {
    train.disabled = app.locked || app.lab.engineReport.value.status !== 'ready';
    yours.enable(!app.locked);
  };
  app.lab.phase.watch(update);
  app.lab.engineReport.watch(update);
  return { elements: [place, element], again: h('div', { class: 'row' }, tourAgain, recall) };
}
