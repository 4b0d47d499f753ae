import type { SampleGroup } from '../samples';
import { h, setText } from './dom';
import { swatch } from './run-style';

/** All answers to one prompt, side by side. */
export function sampleGroup(group: SampleGroup) {
  const title = group.step === 0 ? 'Before training' : `After step ${group.step}`;
  const answers = group.answers.map((answer) => {
    const run = answer.run === null ? undefined : group.runs[answer.run];
    const name = run?.name ?? 'Base';
    const text = h('p', { class: 'answer-text' });
    const state = h('span', { class: 'hint' });
    const look =
      run === undefined ? h('span', { class: 'swatch base', 'aria-hidden': 'true' }) : swatch(run.style);
    const element = h(
      'article',
      { class: 'answer', 'aria-label': `${name}, ${title}` },
      h('h4', {}, look, name, state),
      text,
    );
    return { answer, text, state, element };
  });
  const element = h(
    'section',
    { class: 'sample-group', 'aria-label': `Samples: ${title}` },
    h('h3', {}, title),
    h('p', { class: 'asked' }, group.prompt),
    h('div', { class: 'answers' }, ...answers.map((answer) => answer.element)),
  );
  const show = () => {
    for (const { answer, text, state } of answers) {
      setText(text, answer.text.trimStart());
      const empty = answer.done && answer.text === '';
      setText(state, empty ? 'ended at once' : answer.done ? '' : 'writing…');
      text.classList.toggle('writing', !answer.done);
    }
  };
  show();
  return { element, show };
}
