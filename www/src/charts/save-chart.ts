import '../share/save.css';
import { h } from '../controls/dom';
import { failurePlace } from '../controls/message';
import { saveFile } from '../share/save-file';
import { pngOf } from './chart-png';
import { colourOf, dashOf } from './run-style';
import type { PictureLook } from './svg-document';

interface SaveChartOptions {
  /** Before the buttons. */
  words?: string;
  /** Of the files, without an ending. */
  file(): string;
  /** What the chart shows now, as SVG, with its size where that is its own; null where it is empty. */
  svg(look: PictureLook): string | { svg: string; width: number; height: number } | null;
}

/** Buttons that save a chart as PNG and SVG, in the colours of the page. */
export function saveChart(name: string, { file, svg, words = 'Save' }: SaveChartOptions) {
  const failure = failurePlace();
  const probe = h('span', { hidden: true });
  const savePng = async () => {
    const made = svg(lookOf(probe));
    if (made === null) return;
    const png = await (typeof made === 'string' ? pngOf(made) : pngOf(made.svg, made.width, made.height));
    failure.show(png.ok ? null : png.failure);
    if (png.ok) saveFile(`${file()}.png`, png.value);
  };
  const saveSvg = () => {
    const made = svg(lookOf(probe));
    if (made === null) return;
    const text = typeof made === 'string' ? made : made.svg;
    saveFile(`${file()}.svg`, new Blob([text], { type: 'image/svg+xml' }));
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
    h('span', { class: 'hint', 'aria-hidden': 'true' }, words),
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
