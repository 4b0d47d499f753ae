import './transport.css';
import { h, setText } from '../controls/dom';
import { paced } from '../controls/frame';
import type { LabPhase } from '../lab/lab';
import { bytes, count, duration, plural } from '../words/numbers';
import type { Experiment } from './experiment';

/** Start, Pause, Step, Stop; what is going on; how long it will take. */
export function transport(app: Experiment): HTMLElement {
  const { lab } = app;
  const button = (id: string, label: string, onclick: () => void, primary = false) =>
    h('button', { type: 'button', id: app.id(id), class: primary ? 'primary' : '', onclick }, label);
  const start = button('start', 'Start', () => void app.start(), true);
  const pause = button('pause', 'Pause', () => (lab.phase.value === 'paused' ? lab.resume() : lab.pause()));
  const step = button('step', 'Step', () => (app.locked ? lab.stepOnce() : void app.start(true)));
  const stop = button('stop', 'Stop', () => lab.stop());
  const status = h('p', { class: 'status', id: app.id('status'), role: 'status' });
  const bar = h('progress', { 'aria-label': 'Steps done', max: 1, value: 0 });
  const activity = h('span', { class: 'hint' });
  const stepCount = h('span', { id: app.id('step-count'), class: 'step-count' });
  const rates = h('dl', { class: 'rates', 'aria-label': 'Speed and memory' });
  const rate = (name: string, id: string) => {
    const value = h('dd', { id: app.id(id) }, '–');
    rates.append(h('div', {}, h('dt', {}, name), value));
    return value;
  };
  const tokens = rate(`${app.words.units} / s`, 'tokens-per-second');
  const seconds = rate('A step', 'seconds-per-step');
  const left = rate('Remaining', 'remaining');
  const memory = rate('Memory', 'memory');

  let trainings = 0;
  lab.phase.subscribe((phase) => {
    if (phase === 'preparing') trainings += 1;
  });
  const showState = () => {
    const phase = lab.phase.value;
    // Which training it is about: `Finished.` of one is not that of the next.
    status.dataset.training = String(trainings);
    const why = whyNot(app);
    const { locked } = app;
    const sweeping = app.sweeping.value;
    start.disabled = locked || why !== '';
    pause.disabled = sweeping || !['running', 'pausing', 'paused'].includes(phase);
    setText(pause, phase === 'paused' ? 'Resume' : 'Pause');
    step.disabled = sweeping || (locked ? phase !== 'paused' : why !== '');
    stop.disabled = sweeping || !locked;
    setText(status, locked || why === '' ? statusOf(app, phase) : why);
  };
  const showNumbers = paced(() => {
    const metrics = app.metrics.value;
    const steps = metrics?.steps ?? app.config.value.session.steps;
    const done = metrics?.step ?? 0;
    bar.max = Math.max(1, steps || 1);
    bar.value = done;
    setText(stepCount, `${count(done)} / ${count(steps)}`);
    setText(tokens, metrics?.tokensPerSecond == null ? '–' : count(metrics.tokensPerSecond));
    setText(seconds, duration(metrics?.pace.secondsPerStep ?? null));
    setText(left, app.locked && done < steps ? duration(metrics?.pace.remaining(steps - done) ?? null) : '–');
    setText(memory, metrics === null || metrics.memory === 0 ? '–' : bytes(metrics.memory));
  });
  for (const signal of [
    lab.phase,
    lab.model,
    lab.data,
    lab.preparing,
    app.problems,
    app.estimate,
    app.sweeping,
  ]) {
    signal.subscribe(showState);
  }
  showState();
  lab.activity.watch((words) => setText(activity, words));
  app.measured.watch(showNumbers.soon);
  app.config.subscribeTo(({ session }) => session.steps, showNumbers.now);
  return h(
    'div',
    { class: 'transport' },
    h('div', { class: 'row buttons', role: 'group', 'aria-label': 'Training' }, start, pause, step, stop),
    h('div', { class: 'advance' }, h('div', { class: 'row' }, status, activity, stepCount), bar),
    rates,
  );
}

/** Why training cannot start, with what to do; empty where it can. */
function whyNot(app: Experiment): string {
  const { lab, problems, estimate } = app;
  if (lab.engineReport.value.status === 'failed') return 'The engine did not start.';
  if (lab.model.value.status === 'loading') return 'The model is loading.';
  if (lab.data.value.status === 'loading') return `Reading the ${app.words.data}.`;
  if (lab.model.value.status !== 'ready') return 'Load a model first.';
  if (lab.data.value.status !== 'ready') return `Choose ${app.words.data} first.`;
  const wrong = problems.value.size;
  if (wrong > 0)
    return `${plural(wrong, 'setting needs', 'settings need')} attention; see the marked fields.`;
  const needs = estimate.value;
  return needs !== null && 'fits' in needs && !needs.fits ? needs.advice : '';
}

function statusOf(app: Experiment, phase: LabPhase): string {
  if (app.sweeping.value) return 'A sweep uses the engine; training can start when it is over.';
  const preparing = app.lab.preparing.value.action;
  const words: Record<LabPhase, string> = {
    idle: app.concern === '' ? 'Ready.' : app.concern,
    preparing: preparing === '' ? 'Preparing.' : `Preparing: ${preparing}.`,
    running: 'Training.',
    pausing: 'Finishing this step.',
    paused: 'Paused.',
    finished: 'Finished.',
    stopped: 'Stopped.',
    failed: 'Training ended early; see below.',
  };
  return words[phase];
}
