import '../controls/message.css';
import type { Config } from '../config/config';
import { copyLink } from '../controls/copy-link';
import { h } from '../controls/dom';
import { undoPlace } from '../controls/undo';
import { linkTo, readLink, withoutSettings } from '../share/link';
import type { App } from './app';

/** Copies a link that carries the settings, and takes settings from a link that was opened. */
export function linkPanel(app: App) {
  const undo = undoPlace('link', 'Back to mine');
  const close = h('button', { type: 'button', class: 'quiet', onclick: () => hide() }, 'All right');
  const notice = h(
    'div',
    { class: 'message warn', id: 'link-notice', hidden: true },
    h('div', { class: 'row' }, undo.element, close),
  );
  const hide = () => {
    notice.hidden = true;
  };
  const tell = (words: string, before: Config | null) => {
    notice.hidden = false;
    if (before === null) return undo.say(words);
    const bringBack = () => app.config.set(before);
    undo.offer({ words, bringBack, backWords: 'Your settings are back.' });
  };
  app.lab.phase.watch(() => undo.enable(!app.locked));
  const take = async () => {
    const answer = await readLink(location.hash);
    if (answer === null) return;
    // Else the next reload would undo what is changed from now on.
    history.replaceState(null, '', withoutSettings(location.hash) || location.pathname);
    if (!answer.ok) return tell(answer.failure.message, null);
    if (app.locked)
      return tell('A training runs, so the settings of the link were not taken. Stop it first.', null);
    const before = app.config.value;
    app.config.set(answer.value.config);
    if (app.lab.data.value.status === 'ready') app.dataStale.set(true);
    const { notes } = answer.value;
    const rest = notes.length === 0 ? '' : ` Not all of it could be used: ${notes.join(' ')}`;
    tell(`These are the settings of the link that was opened.${rest}`, before);
  };
  addEventListener('hashchange', () => void take());
  void take();
  const element = copyLink({
    id: 'copy-link',
    label: 'Copy a link to these settings',
    link: () => linkTo(location.href, app.config.value),
    about: 'It carries all settings and the prompt for samples, and neither model nor data.',
  });
  return { notice, element };
}
