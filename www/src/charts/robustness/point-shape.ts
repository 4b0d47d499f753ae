import { h, s } from '../../controls/dom';
import { colourOf, dashOf, STYLES } from '../run-style';

// Around the origin, about one unit in each direction. With colour and dash, a method has three marks.
const paths: readonly string[] = [
  'M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0Z',
  'M-.9 -.9H.9V.9H-.9Z',
  'M0 -1.2L1.1 .8H-1.1Z',
  'M0 -1.3L1.2 0L0 1.3L-1.2 0Z',
  'M0 1.2L1.1 -.8H-1.1Z',
  'M-.4 -1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z',
  'M0 -1.3L.4 -.4L1.3 -.3L.6 .3L.8 1.2L0 .7L-.8 1.2L-.6 .3L-1.3 -.3L-.4 -.4Z',
  'M-.6 -1.1H.6L1.2 0L.6 1.1H-.6L-1.2 0Z',
];

/** The outline of a style's points, as an SVG path. */
export function shapeOf(style: number): string {
  return paths[style % STYLES] ?? '';
}

/** A short piece of a line with one of its points. */
export function pointSwatch(style: number): HTMLElement {
  const line = s('line', {
    x1: 1,
    y1: 6,
    x2: 35,
    y2: 6,
    'stroke-width': 2,
    'stroke-dasharray': dashOf(style).join(' '),
  });
  const point = s('path', { d: shapeOf(style), transform: 'translate(18 6) scale(4.2)' });
  line.style.stroke = colourOf(style);
  point.style.fill = colourOf(style);
  const image = s('svg', { viewBox: '0 0 36 12' }, line, point) as Node;
  return h('span', { class: 'swatch', 'aria-hidden': 'true' }, image);
}
