import './times-bar.css';
import { h, setText } from '../../controls/dom';
import { paced } from '../../controls/frame';
import type { StepTimes } from '../../protocol';
import { duration, percent } from '../../words/numbers';
import type { Experiment } from '../experiment';

const parts: readonly (readonly [keyof StepTimes, string])[] = [
  ['forward', 'Forward'],
  ['backward', 'Backward'],
  ['precondition', 'Precondition'],
  ['update', 'Update'],
];

/** Where a step's time goes. */
export function timesBar(app: Experiment): HTMLElement {
  const bar = h('div', { class: 'times-bar', 'aria-hidden': 'true' });
  const list = h('dl', { class: 'times', 'aria-label': 'Time of a step' });
  const cells = parts.map(([key, name]) => {
    const stretch = h('span', { class: `time-${key}` });
    const value = h('dd', { id: app.id(`time-${key}`) }, '–');
    bar.append(stretch);
    list.append(h('div', {}, h('dt', {}, h('span', { class: `time-key time-${key}` }), name), value));
    return { key, stretch, value };
  });
  const element = h('div', { class: 'times-frame' }, h('h3', {}, 'Time of a step'), bar, list);
  const draw = paced(() => {
    const times = app.metrics.value?.stepTimes ?? null;
    element.hidden = times === null;
    if (times === null) return;
    const total = Math.max(
      times.total,
      parts.reduce((sum, [key]) => sum + times[key], 0),
      1e-9,
    );
    for (const { key, stretch, value } of cells) {
      stretch.style.setProperty('flex-grow', String(times[key] / total));
      setText(value, `${duration(times[key])} · ${percent(times[key] / total)}`);
    }
  });
  app.measured.watch(draw.soon);
  return element;
}
