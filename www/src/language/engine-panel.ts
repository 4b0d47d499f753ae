import './engine-panel.css';
import { h, setText } from '../controls/dom';
import type { EnginePreference } from '../engine/engine-choice';
import type { ProductStrategy, ProductTable } from '../protocol';
import type { App } from './app';

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
  app.config.watchTo(
    ({ engine }) => engine,
    (engine) => {
      for (const { value, input } of inputs) input.checked = value === engine;
    },
  );
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
    else if (report.status === 'ready') {
      const { description, products } = report.value;
      setText(reason, [why, sentence(description), aboutProducts(products)].filter(Boolean).join(' '));
    } else if (report.status === 'loading' && engine === 'webgpu') {
      setText(reason, `${why} The first start on an adapter measures how it multiplies matrices fastest.`);
    } else setText(reason, why);
  };
  app.lab.engineReport.watch(show);
  app.lab.choice.watch(show);
  return [h('div', { class: 'row' }, badge, group, theme), reason];
}

/** Which way of computing products this adapter is fastest with. */
function aboutProducts(products: ProductTable | null): string {
  if (products === null) return '';
  const kinds = (strategy: ProductStrategy) =>
    products.choices.filter((choice) => choice.strategy === strategy).map(({ kind }) => kind);
  const parts = [
    { name: 'in tiles of registers', kinds: kinds('tiles') },
    { name: 'in workgroup memory', kinds: kinds('burn') },
  ].filter((part) => part.kinds.length > 0);
  const words = parts.map((part) => `${part.kinds.join(' and ')} ${part.name}`);
  return words.length === 0 ? '' : `Matrix products, as measured: ${words.join(', ')}.`;
}

/** With a capital and a full stop. */
function sentence(words: string): string {
  return words === '' ? '' : `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, '')}.`;
}
