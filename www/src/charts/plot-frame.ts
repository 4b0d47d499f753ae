import './uplot.css';
import './plot-frame.css';
import type uPlot from 'uplot';
import { h } from '../controls/dom';

/** The element that a canvas chart is drawn in, an image to screen readers, and how its axes look in this theme. */
export function plotFrame(label: string, height: number) {
  const host = h('div', { class: 'plot', role: 'img', 'aria-label': label });
  const probe = h('span', { hidden: true });
  const element = h('div', { class: 'plot-frame' }, host, probe);
  /** Canvas knows no custom properties. */
  const resolve = (colour: string) => {
    probe.style.color = colour;
    return getComputedStyle(probe).color;
  };
  const size = () => ({ width: Math.max(200, host.clientWidth), height });
  return {
    host,
    element,
    resolve,
    size,
    axis: (): uPlot.Axis => ({
      stroke: resolve('var(--ink-3)'),
      grid: { stroke: resolve('var(--grid)'), width: 1 },
      ticks: { show: false },
      font: `12px ${getComputedStyle(element).fontFamily}`,
    }),
    /** Calls `follow` whenever there is more or less room. */
    onResize: (follow: (room: ReturnType<typeof size>) => void) =>
      new ResizeObserver(() => follow(size())).observe(host),
  };
}
