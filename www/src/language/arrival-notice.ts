import { h, setText } from '../controls/dom';
import type { App, Arrival } from './app';

/** Offers what came while a training keeps its own, and would else be lost. */
export function arrivalNotice(app: App, place: Arrival['place']): HTMLElement {
  const words = h('p', {});
  const use = () => {
    const arrival = app.arrival.value;
    app.lab.stop();
    app.arrival.set(null);
    arrival?.use();
  };
  const take = h('button', { type: 'button', onclick: use });
  const not = h(
    'button',
    { type: 'button', class: 'quiet', onclick: () => app.arrival.set(null) },
    'Not now',
  );
  const element = h('div', { class: 'message warn', role: 'status', hidden: true });
  element.append(words, h('div', { class: 'row' }, take, not));
  const show = () => {
    const arrival = app.arrival.value;
    element.hidden = arrival?.place !== place;
    if (arrival === null) return;
    const verb = place === 'model' ? 'load it' : 'read it';
    const busy = app.locked;
    // A sweep has a Stop of its own.
    take.disabled = app.sweeping.value;
    const what = app.sweeping.value ? 'sweep' : 'training';
    setText(words, `${arrival.name} is here. ${busy ? `The ${what} that goes on keeps its ${place}.` : ''}`);
    setText(take, busy ? `Stop the training and ${verb}` : `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`);
  };
  app.arrival.watch(show);
  app.lab.phase.subscribe(show);
  app.sweeping.subscribe(show);
  return element;
}
