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
  app.lab.engineReport.watch((report) => {
    const engine = app.lab.engine.value === 'cpu' ? 'CPU' : 'WebGPU';
    const state = { none: ' …', loading: ' …', failed: ' failed', ready: '' }[report.status];
    setText(badge, `${engine}${state}`);
    badge.dataset.state = report.status;
    const why = app.choice.value?.reason ?? 'Looking for an adapter.';
    if (report.status === 'failed') setText(reason, report.failure.message);
    else setText(reason, report.status === 'ready' ? `${why} ${report.value.description}` : why);
  });
  return [h('div', { class: 'row' }, badge, group, theme), reason];
}
