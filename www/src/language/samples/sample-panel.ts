import './samples.css';
import type { RunConfig } from '../../config/config';
import { h } from '../../controls/dom';
import { checkField } from '../../controls/field';
import { inFrame } from '../../controls/frame';
import { failureBox } from '../../controls/message';
import { undoPlace } from '../../controls/undo';
import { plural } from '../../words/numbers';
import type { App } from '../app';
import { sampleFields } from './sample-fields';
import { sampleGroup } from './sample-group';
import type { SampleGroup } from './samples';

/** What the base and the runs write. */
export function samplePanel(app: App): HTMLElement[] {
  const { samples, lab } = app;
  const problem = failureBox();
  const around = checkField(
    'Before and after training',
    (value) =>
      app.change((config) => {
        config.sampleAround = value;
      }),
    'sample-around',
  );
  app.config.watchTo(({ sampleAround }) => sampleAround, around.show);
  const write = h(
    'button',
    { type: 'button', id: 'write', class: 'primary', onclick: () => void app.sample() },
    'Write now',
  );
  const cancel = h(
    'button',
    { type: 'button', class: 'quiet', onclick: () => lab.cancelSampling() },
    'Stop writing',
  );
  const forget = h('button', { type: 'button', class: 'quiet', onclick: () => clear() }, 'Clear answers');
  const undo = undoPlace('answers');
  const clear = () => {
    const before = samples.groups.value;
    samples.clear();
    const answers = plural(
      before.reduce((sum, group) => sum + group.answers.length, 0),
      'answer',
    );
    undo.offer(
      {
        words: `${answers} cleared.`,
        bringBack: () => samples.putBack(before),
        backWords: `${answers} brought back.`,
      },
      true,
    );
  };
  const empty = h(
    'p',
    { class: 'hint' },
    'The base answers as soon as there is a model, and each run beside it once training has started: before the first step, after the last, and whenever you ask. The last answers stay here to be compared.',
  );
  const list = h('div', { class: 'sample-groups' });
  const shown = new Map<SampleGroup, ReturnType<typeof sampleGroup>>();
  const draw = inFrame(() => {
    const groups = samples.groups.value;
    empty.hidden = groups.length > 0;
    forget.hidden = groups.length === 0 || samples.writing.value;
    for (const [group, view] of shown) {
      if (groups.includes(group)) continue;
      view.element.remove();
      shown.delete(group);
    }
    // Oldest first, each before what is there: the newest comes out on top.
    for (const group of [...groups].reverse()) {
      let view = shown.get(group);
      if (view === undefined) {
        view = sampleGroup(group);
        shown.set(group, view);
        list.prepend(view.element);
      }
      view.show(shownIn(group));
    }
  });
  // Which are shown is known of the training whose curves are shown; of others, what was shown last.
  const last = new WeakMap<readonly RunConfig[], ReadonlySet<number>>();
  const shownIn = ({ runs }: SampleGroup): ReadonlySet<number> => {
    if (runs === app.trainedRuns.value && runs.length > 0)
      last.set(runs, new Set(app.shownRuns.map(({ index }) => index)));
    return last.get(runs) ?? new Set(runs.keys());
  };
  const showButtons = () => {
    const ready = lab.model.value.status === 'ready' && lab.phase.value !== 'preparing';
    const { sample } = app.config.value;
    const wrong = ['max_tokens', 'temperature', 'top_k', 'top_p', 'sample_seed'];
    const valid = sample.prompt.trim() !== '' && !wrong.some((field) => app.problems.value.has(field));
    write.disabled = samples.writing.value || !ready || !valid;
    cancel.hidden = !samples.writing.value;
  };
  samples.groups.watch(draw);
  app.config.subscribeTo(({ view }) => [view.compared, view.comparedLr], draw);
  app.lab.phase.subscribe(draw);
  samples.writing.watch(() => {
    showButtons();
    draw();
  });
  samples.failure.watch((failure) => problem.show(failure));
  lab.phase.watch(showButtons);
  lab.model.subscribe(showButtons);
  app.problems.subscribe(showButtons);
  app.config.subscribeTo(({ sample }) => sample, showButtons);
  return [
    sampleFields(app),
    h('div', { class: 'row' }, write, cancel, forget, undo.element, around.element),
    problem.element,
    empty,
    list,
  ];
}
