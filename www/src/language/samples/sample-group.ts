import { swatch } from '../../charts/run-style';
import { copyButton } from '../../controls/copy-button';
import { h, setText } from '../../controls/dom';
import { takenAtWords } from '../../experiment/taken-at';
import { plural, rate } from '../../words/numbers';
import { type Answer, rateOf, type SampleGroup } from './samples';

/** All answers to one prompt, side by side; where methods are compared at several rates, those of the runs with curves. */
export function sampleGroup(group: SampleGroup) {
  const title = takenAtWords(group);
  const answers = group.answers.map((answer) => {
    const run = answer.run === null ? undefined : group.runs[answer.run];
    const name = run?.name ?? 'Base';
    const text = h('p', { class: 'answer-text' });
    const state = h('span', { class: 'hint' });
    const look =
      run === undefined ? h('span', { class: 'swatch base', 'aria-hidden': 'true' }) : swatch(run.style);
    const copy = copyButton(`the answer of ${name}, ${title}`, () => answer.text);
    const element = h(
      'article',
      { class: 'answer', 'aria-label': `${name}, ${title}` },
      h('h4', {}, look, name),
      text,
      h('div', { class: 'answer-foot' }, state, copy),
    );
    return { answer, text, state, copy, element };
  });
  const others = h('p', { class: 'hint', hidden: true });
  const element = h(
    'section',
    { class: 'sample-group', 'aria-label': `Samples: ${title}` },
    h('h3', {}, title),
    h('p', { class: 'asked' }, group.prompt),
    h('div', { class: 'answers' }, ...answers.map((answer) => answer.element)),
    others,
  );
  const show = (shown: ReadonlySet<number>) => {
    const hidden = answers.filter(({ answer }) => answer.run !== null && !shown.has(answer.run)).length;
    others.hidden = hidden === 0;
    setText(others, `${plural(hidden, 'more run')} wrote, too: choose All runs above the curves.`);
    for (const { answer, text, state, copy, element } of answers) {
      element.hidden = answer.run !== null && !shown.has(answer.run);
      setText(text, answer.text.trimStart());
      setText(state, stateOf(answer));
      text.classList.toggle('writing', !answer.done);
      copy.hidden = !answer.done || answer.text === '';
    }
  };
  return { element, show };
}

function stateOf(answer: Answer): string {
  if (answer.divergedAt != null) return `diverged at step ${answer.divergedAt}: no adapter to write with`;
  if (answer.tokens === 0) return answer.done ? 'ended at once' : 'reading…';
  const speed = rateOf(answer);
  const words = plural(answer.tokens, 'token');
  return speed === null ? words : `${words} · ${rate(speed)} / s`;
}
