import uPlot from 'uplot';
import { measure, setting } from '../../words/numbers';
import { tick } from '../chart-scale';
import { drawCross } from '../draw-cross';
import { logTicks } from '../log-ticks';
import { plotFrame } from '../plot-frame';
import { colourOf, dashOf } from '../run-style';
import { baseLabelPlace } from './base-label';
import type { Spot } from './free-place';
import { shapeOf } from './point-shape';
import {
  bandsOf,
  edgeOf,
  lossRange,
  marksOf,
  type RobustnessState,
  valueRange,
  valuesOf,
} from './robustness-state';

const HEIGHT = 320;
// Room for a label of the axis, in pixels.
const LABEL = 62;
const POINT = 4.5;
// How much a band covers.
const BAND = 0.16;

/** Loss over a logarithmic axis of values, a line and a shape a method. An image to screen readers. */
export function robustnessChart(label: string) {
  const { host, element, resolve, size, axis: axisOf, onResize } = plotFrame(label, HEIGHT);
  let plot: uPlot | null = null;
  let state: RobustnessState | null = null;

  const build = (now: RobustnessState) => {
    plot?.destroy();
    const values = valuesOf(now);
    const axis = axisOf();
    const options: uPlot.Options = {
      ...size(),
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, distr: 3, range: () => valueRange(values) },
        y: { range: () => lossRange(now) },
      },
      axes: [
        {
          ...axis,
          size: 30,
          splits: (self, _, low, high) => {
            const room = self.bbox.width / devicePixelRatio / LABEL;
            return values.length <= room ? values : logTicks(low, high);
          },
          filter: (_, splits) => splits,
          values: (_, splits) => splits.map((split) => setting(Number(split.toPrecision(3)))),
        },
        { ...axis, size: 52, values: (_, splits) => splits.map(tick) },
      ],
      series: [
        {},
        ...now.lines.map(({ style }) => ({
          stroke: resolve(colourOf(style)),
          width: 2,
          dash: dashOf(style),
          points: { show: false },
        })),
      ],
      hooks: {
        drawAxes: [(self) => drawBands(self, now, resolve)],
        draw: [(self) => drawMarks(self, now, resolve)],
      },
    };
    // A value that a method was not tried at is no gap in its line; a run that diverged is one.
    const columns = now.lines.map(({ points }) => {
      const losses = new Map(points.map(({ value, loss }) => [value, loss]));
      return values.map((value) => losses.get(value));
    });
    plot = new uPlot(options, [values, ...columns] as uPlot.AlignedData, host);
  };
  onResize((room) => plot?.setSize(room));
  return {
    element,
    show(next: RobustnessState) {
      state = next;
      build(next);
    },
    /** Colours changed. */
    restyle() {
      if (state !== null) build(state);
    },
    /** In words. */
    summarise: (text: string) => host.setAttribute('aria-label', `${label}. ${text}`),
  };
}

/** From the lowest to the highest seed, below the lines. */
function drawBands(self: uPlot, state: RobustnessState, resolve: (colour: string) => string): void {
  const { ctx } = self;
  const [, top] = lossRange(state);
  ctx.save();
  ctx.globalAlpha = BAND;
  for (const line of state.lines) {
    ctx.fillStyle = resolve(colourOf(line.style));
    for (const outline of bandsOf(line, top)) {
      ctx.beginPath();
      for (const { value, loss } of outline)
        ctx.lineTo(self.valToPos(value, 'x', true), self.valToPos(loss, 'y', true));
      ctx.fill();
    }
  }
  ctx.restore();
}

/** Points, rings around the best, crosses for what diverged, arrows for what is above, and the base's line. */
function drawMarks(self: uPlot, state: RobustnessState, resolve: (colour: string) => string): void {
  const { ctx, bbox } = self;
  const dot = devicePixelRatio;
  const marks = marksOf(state).map((mark) => {
    const x = self.valToPos(mark.value, 'x', true);
    const inside = mark.kind === 'point' && mark.loss !== null;
    const y = inside ? self.valToPos(mark.loss ?? 0, 'y', true) : bbox.top + edgeOf(mark.row) * dot;
    return { ...mark, x, y };
  });
  ctx.save();
  if (state.baseLoss !== null) drawBase(self, state.baseLoss, marks, resolve);
  for (const { kind, style, best, x, y } of marks) {
    ctx.strokeStyle = resolve(colourOf(style));
    ctx.fillStyle = ctx.strokeStyle;
    if (kind === 'cross') drawCross(ctx, x, y, 4.5 * dot);
    else if (kind === 'arrow') drawArrow(ctx, x, y, 5 * dot);
    else drawShape(ctx, style, x, y, POINT * dot);
    if (best) drawRing(ctx, x, y, 2.3 * POINT * dot);
  }
  ctx.restore();
}

/** The dotted line of the base, with its loss where no mark is. */
function drawBase(
  self: uPlot,
  loss: number,
  marks: readonly Spot[],
  resolve: (colour: string) => string,
): void {
  const { ctx, bbox } = self;
  const dot = devicePixelRatio;
  const y = self.valToPos(loss, 'y', true);
  const right = bbox.left + bbox.width;
  ctx.strokeStyle = resolve('var(--ink-3)');
  ctx.fillStyle = ctx.strokeStyle;
  ctx.lineWidth = dot;
  ctx.setLineDash([2 * dot, 3 * dot]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(right, y);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = `${12 * dot}px ${getComputedStyle(self.root).fontFamily}`;
  const words = `base ${measure(loss)}`;
  const text = { width: ctx.measureText(words).width, size: 12 * dot };
  const place = baseLabelPlace(y, { left: bbox.left, right }, text, marks, dot);
  if (place === undefined) return;
  ctx.textAlign = 'left';
  // A halo keeps it readable on top of a curve.
  ctx.strokeStyle = resolve('var(--panel)');
  ctx.lineWidth = 4 * dot;
  ctx.lineJoin = 'round';
  ctx.strokeText(words, place.left, place.baseline);
  ctx.fillText(words, place.left, place.baseline);
}

function drawShape(ctx: CanvasRenderingContext2D, style: number, x: number, y: number, size: number): void {
  ctx.save();
  ctx.translate(x, y);
  ctx.scale(size, size);
  ctx.fill(new Path2D(shapeOf(style)));
  ctx.restore();
}

function drawRing(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.stroke();
}

function drawArrow(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, y + size);
  ctx.lineTo(x, y - size);
  ctx.moveTo(x - size * 0.8, y - size * 0.1);
  ctx.lineTo(x, y - size);
  ctx.lineTo(x + size * 0.8, y - size * 0.1);
  ctx.stroke();
}
