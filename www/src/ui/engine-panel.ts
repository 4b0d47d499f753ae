import type { App } from '../app';
import type { EnginePreference } from '../lab/engine-choice';
import { h, setText } from './dom';

const preferences: readonly (readonly [EnginePreference, string])[] = [
  ['auto', 'Auto'],
  ['webgpu', 'WebGPU'],
  ['cpu', 'CPU'],
];

/** Which engine trains, why, and the user's switch. */
export function enginePanel(app: App, theme: HTMLElement): HTMLElement[] {
  const badge = h('strong', { class: 'badge', id: 'engine-badge' }, '…');
  const reason = h('p', { class: 'reason', id: 'engine-reason' }, 'Looking for an adapter.');
  const inputs = preferences.map(([value, label]) => {
    const input = h('input', {
      type: 'radio',
      name: 'engine',
      value,
      id: `engine-${value}`,
      onchange: () => app.change((config) => Object.assign(config, { engine: value })),
    });
    return { value, input, element: h('span', {}, input, h('label', { for: input.id }, label)) };
  });
  const group = h(
    'fieldset',
    { class: 'segments', 'aria-describedby': 'engine-reason' },
    h('legend', { class: 'unseen' }, 'Engine'),
    ...inputs.map(({ element }) => element),
  );
  app.config.watch(({ engine }) => {
    for (const { value, input } of inputs) input.checked = value === engine;
  });
  app.lab.phase.watch(() => {
    group.disabled = app.locked;
  });
  const show = () => {
    const report = app.lab.engineReport.value;
    const { engine, reason: why } = app.lab.choice.value;
    const state = { none: ' …', loading: ' …', failed: ' failed', ready: '' }[report.status];
    setText(badge, `${engine === 'cpu' ? 'CPU' : 'WebGPU'}${state}`);
    badge.dataset.state = report.status;
    if (report.status === 'failed') setText(reason, report.failure.message);
    else setText(reason, report.status === 'ready' ? `${why} ${sentence(report.value.description)}` : why);
  };
  app.lab.engineReport.watch(show);
  app.lab.choice.watch(show);
  return [h('div', { class: 'row' }, badge, group, theme), reason];
}

/** With a capital and a full stop. */
function sentence(words: string): string {
  return words === '' ? '' : `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, '')}.`;
}
