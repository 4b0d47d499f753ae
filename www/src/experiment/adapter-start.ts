import './adapters.css';
import { fill, h } from '../controls/dom';
import { dropZone } from '../controls/drop-zone';
import { factList } from '../controls/facts';
import { failureBox } from '../controls/message';
import type { Result } from '../result';
import { plural, setting } from '../words/numbers';
import type { Experiment } from './experiment';
import { followStart } from './start';

/** In which files adapters come to an experiment. */
export interface AdapterSource {
  words: string;
  accept: string;
  folder: boolean;
  /** Which of several files are one. */
  pick(files: File[]): readonly File[];
  /** The adapter that these files are, as the lab wants it. */
  read(files: File[]): Promise<Result<{ name: string }>>;
}

/** The adapter that all runs start from. */
export function adapterStart(
  app: Experiment,
  { words, accept, folder, pick, read: find }: AdapterSource,
): HTMLElement[] {
  const { lab } = app;
  const problem = failureBox();
  const facts = factList('The adapter that all runs start from');
  const remove = h('button', { type: 'button', id: app.id('start-afresh') }, 'Start from fresh adapters');
  const notices = h('ul', { class: 'hint', 'aria-label': 'What is to know of this adapter' });
  const about = h('div', { class: 'adapter-start', role: 'status' }, facts.element, notices, remove);
  remove.addEventListener('click', async () => {
    const answer = await lab.startFrom(null);
    problem.show(answer.ok ? null : answer.failure);
  });
  let asked = 0;
  const read = async (files: File[]) => {
    asked += 1;
    const own = asked;
    const found = await find(files);
    if (own !== asked) return;
    if (!found.ok) return problem.show(found.failure);
    const answer = await lab.startFrom(found.value);
    if (own !== asked) return;
    problem.show(answer.ok ? null : answer.failure);
    const start = lab.startAdapter.value;
    // A field in which the user was typing would go on showing that.
    const typing = document.activeElement;
    if (typing instanceof HTMLInputElement && typing.closest(`#${app.id('settings')}`) !== null)
      typing.blur();
    if (answer.ok && start !== null) app.change(({ session }) => followStart(session, start));
  };
  const drop = dropZone({
    what: 'an adapter to start from',
    pick,
    why: 'All runs start from one adapter.',
    words,
    choose: 'Choose an adapter',
    accept,
    folder,
    onFiles: (files) => void read(files),
  });
  lab.startAdapter.watch((start) => {
    about.hidden = start === null;
    if (start === null) return;
    facts.show([
      ['All runs start from', start.name],
      ['Rank', String(start.rank)],
      ['Alpha', setting(start.alpha)],
      ['Scale', start.use_rslora ? 'alpha / √rank (rsLoRA)' : 'alpha / rank'],
      ['Layers', start.targets.join(', ')],
      ['Made for', start.base ?? 'not told'],
      [
        'Matched',
        `${start.tensors} of ${start.tensors} tensors, in ${start.layers} of ${plural(start.of_layers, 'block')}`,
      ],
    ]);
    fill(notices, ...start.notices.map((notice) => h('li', {}, `${capitalised(notice)}.`)));
    notices.hidden = start.notices.length === 0;
  });
  lab.phase.watch(() => {
    drop.toggleAttribute('inert', app.locked);
    remove.disabled = app.locked;
  });
  return [about, drop, problem.element];
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
