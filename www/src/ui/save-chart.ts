import { pngOf } from '../share/chart-png';
import type { PictureLook } from '../share/picture-frame';
import { saveFile } from '../share/save-file';
import { h } from './dom';
import { failurePlace } from './message';
import { colourOf, dashOf } from './run-style';

interface SaveChartOptions {
  /** Of the files, without an ending. */
  file(): string;
  /** What the chart shows now, as SVG; null where it is empty. */
  svg(look: PictureLook): string | null;
}

/** Buttons that save a chart as PNG and SVG, in the colours of the page. */
export function saveChart(name: string, { file, svg }: SaveChartOptions) {
  const failure = failurePlace();
  const probe = h('span', { hidden: true });
  const savePng = async () => {
    const text = svg(lookOf(probe));
    if (text === null) return;
    const png = await pngOf(text);
    failure.show(png.ok ? null : png.failure);
    if (png.ok) saveFile(`${file()}.png`, png.value);
  };
  const saveSvg = () => {
    const text = svg(lookOf(probe));
    if (text !== null) saveFile(`${file()}.svg`, new Blob([text], { type: 'image/svg+xml' }));
  };
  const button = (form: string, onclick: () => void) =>
    h(
      'button',
      { type: 'button', class: 'quiet small', 'aria-label': `Save ${name} as ${form}`, onclick },
      form,
    );
  const buttons = [button('PNG', () => void savePng()), button('SVG', saveSvg)];
  const group = h(
    'div',
    { class: 'save', role: 'group', 'aria-label': `Save ${name}` },
    h('span', { class: 'hint', 'aria-hidden': 'true' }, 'Save'),
    ...buttons,
    probe,
  );
  return {
    element: h('div', { class: 'save-frame' }, group, failure.element),
    /** Whether there is something to save. */
    enable(on: boolean) {
      for (const one of buttons) one.disabled = !on;
    },
  };
}

/** The page's colours, resolved by an element: a picture knows no custom properties. */
function lookOf(probe: HTMLElement): PictureLook {
  const resolve = (colour: string) => {
    probe.style.color = colour;
    return getComputedStyle(probe).color;
  };
  return {
    ground: resolve('var(--panel)'),
    ink: resolve('var(--ink)'),
    quietInk: resolve('var(--ink-3)'),
    grid: resolve('var(--grid)'),
    font: getComputedStyle(probe).fontFamily,
    colourOf: (style) => resolve(colourOf(style)),
    dashOf,
  };
}
