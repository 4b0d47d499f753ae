import '../experiment/transport.css';
import { h, setText } from '../controls/dom';
import { paced } from '../controls/frame';
import { failureBox, noticeBox } from '../controls/message';
import { undoPlace } from '../controls/undo';
import { dateWords } from '../words/date';
import { count, duration, plural } from '../words/numbers';
import { basisWords } from './record';
import type { Sweep } from './sweep';
import { statusOf } from './words';

/** Start, Pause, Stop; how far it is; what went wrong. */
export function sweepTransport(sweep: Sweep): HTMLElement[] {
  const { app } = sweep;
  const button = (id: string, label: string, onclick: () => void, primary = false) =>
    h('button', { type: 'button', id, class: primary ? 'primary' : '', onclick }, label);
  const start = button('sweep-start', 'Start', () => void sweep.start(), true);
  const paused = () => ['pausing', 'paused'].includes(sweep.phase.value);
  const pause = button('sweep-pause', 'Pause', () => (paused() ? sweep.resume() : sweep.pause()));
  const stop = button('sweep-stop', 'Stop', () => sweep.stop());
  const undo = undoPlace('sweep-forget');
  const forgetNow = async () => {
    const gone = await sweep.forget();
    if (gone === null) return;
    const results = plural(gone.results.length, 'result');
    undo.offer(
      {
        words: `${results} forgotten.`,
        bringBack: () => sweep.book.put(gone),
        backWords: `${results} brought back.`,
      },
      true,
    );
  };
  const forget = h(
    'button',
    { type: 'button', class: 'quiet', id: 'sweep-forget', onclick: () => void forgetNow() },
    'Forget these results',
  );
  const status = h('p', { class: 'status', id: 'sweep-status', role: 'status' });
  const bar = h('progress', { 'aria-label': 'Steps of all runs done', max: 1, value: 0 });
  const runs = h('span', { class: 'sweep-runs', id: 'sweep-runs' });
  const left = h('span', { class: 'hint', id: 'sweep-remaining' });
  const failure = failureBox();
  const unkept = failureBox();
  const notice = noticeBox();
  const gone = noticeBox();
  const others = h('p', { class: 'hint', id: 'sweep-others' });

  let sweeps = 0;
  sweep.phase.subscribe((phase) => {
    if (phase === 'planning') sweeps += 1;
  });
  const show = paced(() => {
    // Which sweep it is about: `Finished.` of one is not that of the next.
    status.dataset.sweep = String(sweeps);
    const { active, progress, whyNot } = sweep;
    const pending = sweep.problems.value.size > 0 ? 0 : sweep.pending.length;
    start.disabled = active || whyNot !== '';
    setText(start, pending > 0 ? `Train ${plural(pending, 'run')}` : 'Train');
    pause.disabled = !active || sweep.stopping;
    setText(pause, paused() ? 'Resume' : 'Pause');
    stop.disabled = !active || sweep.stopping;
    const words = statusOf(sweep.phase.value, progress, app.lab.preparing.value.action);
    const why = ['finished', 'stopped', 'failed'].includes(sweep.phase.value) ? `${words} ${whyNot}` : whyNot;
    const idle = whyNot === '' ? words : why;
    setText(status, sweep.stopping ? 'Stopping.' : active ? words : idle.trim());
    bar.max = Math.max(1, progress.total);
    bar.value = active ? progress.done : 0;
    setText(runs, active ? `${count(progress.runsDone)} of ${plural(progress.runs, 'run')}` : '');
    const known = active && progress.remaining !== null;
    setText(left, known ? `about ${duration(progress.remaining)} left` : '');
    forget.hidden = active || sweep.shown.value === null;
    setText(others, active ? '' : othersWords(sweep));
  });
  const signals = [sweep.phase, app.lab.preparing, app.problems, app.sweeping, app.lab.engineReport];
  for (const signal of signals) signal.subscribe(show.now);
  sweep.measured.watch(show.soon);
  sweep.failure.watch((what) => failure.show(what));
  sweep.book.failure.watch((what) => unkept.show(what));
  sweep.book.notice.watch((words) => gone.show(words));
  app.lab.notice.watch((words) => notice.show(app.sweeping.value ? words : ''));
  return [
    h(
      'div',
      { class: 'transport' },
      h('div', { class: 'row buttons', role: 'group', 'aria-label': 'Sweep' }, start, pause, stop),
      h('div', { class: 'advance' }, h('div', { class: 'row' }, status, left, runs), bar),
    ),
    failure.element,
    unkept.element,
    notice.element,
    gone.element,
    h('div', { class: 'row sweep-kept' }, others, forget, undo.element),
  ];
}

/** Where results come from that are not of the settings of now. */
function othersWords(sweep: Sweep): string {
  const { value } = sweep.shown;
  if (value === null || value.key === sweep.key) return '';
  const kept = `These results were kept on ${dateWords(value.when)}: ${basisWords(value.basis)}.`;
  return sweep.key === undefined
    ? `${kept} Load the same model and data to add to them.`
    : `${kept} The settings of now are others: what they give will be in a chart of its own.`;
}
