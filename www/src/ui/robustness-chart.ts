import uPlot from 'uplot';
import { tick } from './chart-scale';
import { drawCross } from './draw-cross';
import { logTicks } from './log-ticks';
import { plotFrame } from './plot-frame';
import { shapeOf } from './point-shape';
import { colourOf, dashOf } from './run-style';
import { measure, setting } from './words';

/** One method: its final losses over what was varied. */
export interface RobustnessLine {
  style: number;
  /** At rising values; null is a run that diverged. */
  points: { value: number; loss: number | null }[];
  /** Where its loss is lowest. */
  best: number | null;
}

export interface RobustnessState {
  lines: RobustnessLine[];
  /** Loss before any step. */
  baseLoss: number | null;
  /** Losses above are shown at the top edge. */
  ceiling: number;
}

const HEIGHT = 320;
// Room for a label of the axis, in pixels.
const LABEL = 62;
const POINT = 4.5;

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
        x: { time: false, distr: 3, range: () => rangeOf(values) },
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
      hooks: { draw: [(self) => drawMarks(self, now, resolve)] },
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

function valuesOf({ lines }: RobustnessState): number[] {
  const all = lines.flatMap(({ points }) => points.map(({ value }) => value));
  return [...new Set(all)].sort((one, other) => one - other);
}

function rangeOf(values: readonly number[]): [number, number] {
  const [low = 1, high = 1] = [values[0], values.at(-1)];
  const room = low === high ? 2 : (high / low) ** 0.06;
  return [low / room, high * room];
}

function lossRange({ lines, baseLoss, ceiling }: RobustnessState): [number, number] {
  const losses = lines.flatMap(({ points }) => points.flatMap(({ loss }) => loss ?? []));
  const shown = [...losses.filter((loss) => loss <= ceiling), ...(baseLoss === null ? [] : [baseLoss])];
  if (shown.length === 0) return [0, 1];
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const room = Math.max(high - low, Math.abs(high) * 0.02);
  // The top is for runs that have no place in the chart.
  return [low - room * 0.08, high + room * 0.22];
}

/** Points, rings around the best, crosses for what diverged, arrows for what is above, and the base's line. */
function drawMarks(self: uPlot, state: RobustnessState, resolve: (colour: string) => string): void {
  const { ctx, bbox } = self;
  const dot = devicePixelRatio;
  ctx.save();
  if (state.baseLoss !== null) {
    const y = self.valToPos(state.baseLoss, 'y', true);
    ctx.strokeStyle = resolve('var(--ink-3)');
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = dot;
    ctx.setLineDash([2 * dot, 3 * dot]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = `${12 * dot}px ${getComputedStyle(self.root).fontFamily}`;
    ctx.textAlign = 'right';
    ctx.fillText(`base ${measure(state.baseLoss)}`, bbox.left + bbox.width - 4 * dot, y - 5 * dot);
  }
  const [, top] = lossRange(state);
  for (const [index, { style, points, best }] of state.lines.entries()) {
    ctx.strokeStyle = resolve(colourOf(style));
    ctx.fillStyle = ctx.strokeStyle;
    const edge = bbox.top + (9 + 13 * index) * dot;
    for (const { value, loss } of points) {
      const x = self.valToPos(value, 'x', true);
      if (loss === null) drawCross(ctx, x, edge, 4.5 * dot);
      else if (loss > top) drawArrow(ctx, x, edge, 5 * dot);
      else {
        const y = self.valToPos(loss, 'y', true);
        drawShape(ctx, style, x, y, POINT * dot);
        if (value === best) drawRing(ctx, x, y, 2.3 * POINT * dot);
      }
    }
  }
  ctx.restore();
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
