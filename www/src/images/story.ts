import '../experiment/welcome.css';
import { h } from '../controls/dom';
import { failureBox } from '../controls/message';
import { bytes } from '../words/numbers';
import type { PictureExperiment } from './experiment';
import { ICON_MODEL } from './icon-model';

/** What the tab is about, and one button that shows it. */
export function imagesStory(images: PictureExperiment): HTMLElement {
  const { lab } = images;
  const problem = failureBox();
  const begin = async () => {
    problem.show(null);
    document.getElementById('images-train')?.scrollIntoView({ block: 'start' });
    const answer = await images.learnNow();
    if (!answer.ok) problem.show(answer.failure);
  };
  const learn = h(
    'button',
    { type: 'button', id: 'images-learn', class: 'primary large', onclick: () => void begin() },
    'Learn a subject now',
  );
  const update = () => {
    learn.disabled = images.locked || images.fetching.value !== null;
  };
  lab.phase.watch(update);
  images.fetching.subscribe(update);
  return h(
    'section',
    { class: 'welcome', 'aria-labelledby': 'images-story-title' },
    h(
      'div',
      { class: 'welcome-words' },
      h('h2', { id: 'images-story-title' }, 'Teach a model that draws'),
      h(
        'p',
        {},
        'The paper’s second half is text-to-image: a model learns a new subject from a few pictures, and at large ' +
          'learning rates AdamW’s pictures break where scaled AdamW still draws the subject. Here you can try that ' +
          `with a small model (it ${ICON_MODEL.about}; ${bytes(ICON_MODEL.bytes)}), with four methods, each at the rate ` +
          'that was best for it when we measured them: scaled GD learns where SGD hardly moves, and scaled AdamW ends ' +
          'with a somewhat lower loss than AdamW. At too large a rate both draw noise, and we found none at which only ' +
          'one of them draws.',
      ),
      problem.element,
    ),
    h('div', { class: 'row' }, learn),
  );
}
