import './layer-map.css';
import { tick } from '../../charts/chart-scale';
import { saveChart } from '../../charts/save-chart';
import { fill, givenName, h, setText } from '../../controls/dom';
import { choiceField } from '../../controls/field';
import { paced } from '../../controls/frame';
import { themeChanged } from '../../controls/theme-changed';
import { type LayerQuantity, type LayerTrack, layerQuantities } from '../../metrics/layer-track';
import { Signal } from '../../signal';
import { measure } from '../../words/numbers';
import type { Experiment } from '../experiment';
import { layerMapState, layerNames, layerSummary } from './layer-map-state';
import { layerMapSvg } from './layer-map-svg';
import { layerWords } from './layer-words';

// In pixels of CSS: few layers have rows that are easy to hit, more than fit have thinner ones.
const LEAST_HEIGHT = 160;
const MOST_HEIGHT = 420;
const ROW = { least: 14, most: 26 };
const LABEL = 15;

/** Which layers change when, in one run: a row a layer, a column a step, a colour a number. */
export function layerMap(app: Experiment): HTMLElement {
  const shown = new Signal<{ run: number; quantity: LayerQuantity }>({ run: 0, quantity: 'norm_delta' });
  const canvas = h('canvas', { class: 'layer-cells', role: 'img' });
  const rows = h('div', { class: 'layer-rows', 'aria-hidden': 'true' });
  const ends = h('div', { class: 'layer-ends', 'aria-hidden': 'true' });
  const low = h('span', {});
  const high = h('span', {});
  const key = h('div', { class: 'layer-key', 'aria-hidden': 'true' }, low, h('span', { class: 'bar' }), high);
  const about = h('p', { class: 'hint' });
  const empty = h('p', { class: 'empty' });
  const table = h('div', {
    class: 'scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Layers at the last step',
  });
  const numbers = h('details', { class: 'numbers' }, h('summary', {}, 'Numbers'), table);
  const runs = h('select', { onchange: () => shown.patch({ run: Number(runs.value) }) });
  const quantity = choiceField<LayerQuantity>({
    label: 'Show',
    help: 'Which number of every layer is drawn.',
    choices: layerQuantities.map((one) => [one, layerWords[one].name] as const),
    onInput: (value) => shown.patch({ quantity: value }),
  });
  const track = (): LayerTrack | undefined => app.metrics.value?.runs[shown.value.run]?.layers;
  const names = () => layerNames(track()?.layers ?? 0, app.trainedTargets);
  const nameOfRun = () => app.trainedRuns.value[shown.value.run]?.name ?? '';
  const save = saveChart('the map of layers', {
    file: () => `layers-${shown.value.quantity.replaceAll('_', '-')}`,
    svg: (look) => {
      const now = track();
      if (now === undefined || now.layers === 0) return null;
      const title = `${layerWords[shown.value.quantity].name}, ${nameOfRun()}`;
      return layerMapSvg(title, layerMapState(now, shown.value.quantity), names(), look, rampOf(canvas));
    },
  });
  const place = h('div', { class: 'layer-place' }, rows, canvas, ends);
  const element = h(
    'details',
    { class: 'diagnostics layers', id: app.id('layers') },
    h('summary', {}, h('h3', {}, 'Layers')),
    h(
      'figure',
      { class: 'chart', 'aria-label': 'Layers over steps' },
      h(
        'div',
        { class: 'diagnostics-head' },
        h(
          'div',
          { class: 'stack' },
          h('label', { class: 'field' }, h('span', { class: 'field-name' }, 'Run'), runs),
          quantity.element,
        ),
        h('div', { class: 'diagnostics-words' }, about, h('div', { class: 'row view' }, key, save.element)),
      ),
      place,
      empty,
      numbers,
    ),
  );

  const draw = paced(() => {
    if (!element.open) return;
    const now = track();
    const there = now !== undefined && now.layers > 0;
    place.hidden = !there;
    key.hidden = !there;
    numbers.hidden = !there;
    empty.hidden = there;
    save.enable(there);
    const begun = (app.metrics.value?.step ?? 0) > 0;
    setText(
      empty,
      begun
        ? 'Not measured in this training. Switch on Diagnostics and By layer in the settings before the next one.'
        : 'The map appears here once training starts.',
    );
    if (!there) return;
    const state = layerMapState(now, shown.value.quantity);
    const all = names();
    paint(canvas, state.shares, all.length, rampOf(canvas));
    const height = heightOf(all.length);
    canvas.style.height = `${height}px`;
    const every = Math.ceil((LABEL * all.length) / height);
    fill(
      rows,
      ...all.flatMap((name, layer) => {
        if (layer % every !== 0) return [];
        const label = h('span', {}, name);
        label.style.top = `${((layer + 0.5) * height) / all.length}px`;
        return [label];
      }),
    );
    fill(ends, h('span', {}, `step ${state.steps[0]}`), h('span', {}, `step ${state.steps.at(-1)}`));
    setText(low, state.span === null ? '' : tick(state.span[0]));
    setText(high, state.span === null ? '' : tick(state.span[1]));
    if (numbers.open) fill(table, layerTable(now, all));
  });
  // Not at every step: a screen reader would never come to an end.
  const summarise = () => {
    const now = track();
    if (now === undefined || now.layers === 0) return;
    canvas.setAttribute('aria-label', `${nameOfRun()}: ${layerSummary(now, shown.value.quantity, names())}`);
  };
  app.trainedRuns.watch((all) => {
    fill(runs, ...all.map(({ name }, index) => h('option', { value: String(index) }, name)));
    shown.patch({ run: 0 });
  });
  shown.watch((now) => {
    runs.value = String(now.run);
    quantity.show(now.quantity);
    setText(about, layerWords[now.quantity].about);
    summarise();
    draw.now();
  });
  app.measured.watch(draw.soon);
  app.lab.phase.watch(summarise);
  element.addEventListener('toggle', () => {
    summarise();
    draw.now();
  });
  numbers.addEventListener('toggle', draw.now);
  themeChanged(draw.now);
  return element;
}

/** Of the map of so many layers. */
function heightOf(layers: number): number {
  const row = Math.max(ROW.least, Math.min(ROW.most, LEAST_HEIGHT / layers));
  return Math.min(MOST_HEIGHT, row * layers);
}

/** One pixel a cell: the browser makes them as large as the place is. */
function paint(
  canvas: HTMLCanvasElement,
  shares: readonly (readonly (number | null)[])[],
  layers: number,
  colourAt: (share: number) => string,
): void {
  canvas.width = Math.max(1, shares.length);
  canvas.height = Math.max(1, layers);
  const context = canvas.getContext('2d');
  if (context === null) return;
  for (const [index, column] of shares.entries()) {
    for (const [layer, share] of column.entries()) {
      if (share === null) continue;
      context.fillStyle = colourAt(share);
      context.fillRect(index, layer, 1, 1);
    }
  }
}

/** From the ground to the ink by way of the accent: lighter to darker, or the other way round in the dark. */
function rampOf(probe: HTMLElement): (share: number) => string {
  const stops = ['--map-low', '--map-middle', '--map-high'].map((name) => {
    probe.style.color = `var(${name})`;
    return channels(getComputedStyle(probe).color);
  });
  return (share) => {
    const place = share * (stops.length - 1);
    const first = Math.min(stops.length - 2, Math.floor(place));
    const part = place - first;
    const [from = [], to = []] = [stops[first], stops[first + 1]];
    const mixed = from.map((value, channel) => Math.round(value + part * ((to[channel] ?? value) - value)));
    return `rgb(${mixed.join(' ')})`;
  };
}

/** Red, green and blue of a colour as browsers compute it, `rgb(r, g, b)`. */
function channels(colour: string): number[] {
  return (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}

/** All numbers of the last step that is kept. */
function layerTable(track: LayerTrack, names: readonly string[]): HTMLElement {
  const step = track.steps.at(-1) ?? 1;
  const columns = layerQuantities.map((one) => ({
    // What the map shows of it is its change.
    name: one === 'log_det_ratio' ? 'log det ratio' : layerWords[one].name,
    values: track.at(step, one),
  }));
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col' }, `Layer, step ${step}`),
    ...columns.map(({ name }) => h('th', { scope: 'col' }, name)),
  );
  const body = names.map((name, layer) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, givenName(name)),
      ...columns.map(({ values }) => h('td', {}, measure(values[layer] ?? null))),
    ),
  );
  return h('table', {}, h('thead', {}, head), h('tbody', {}, ...body));
}
