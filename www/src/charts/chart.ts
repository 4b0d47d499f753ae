import uPlot from 'uplot';
import type { RunConfig } from '../config/config';
import { rangeOf, tick, type ValueScale } from './chart-scale';
import { drawCross } from './draw-cross';
import { logTicks } from './log-ticks';
import { plotFrame } from './plot-frame';
import { colourOf, dashOf } from './run-style';

/** How a curve is drawn: a run is one, and so is a method of the theory. */
export type Look = Pick<RunConfig, 'style'>;

/** One curve. */
export interface Curve {
  run: Look;
  values: (number | null)[];
  /** Faint curves are background: raw values under smoothed ones. */
  faint: boolean;
}

/** A place where a run ended. */
export interface EndMark {
  run: Look;
  step: number;
}

export interface ChartState extends ValueScale {
  steps: number[];
  curves: Curve[];
  marks: EndMark[];
  lastStep: number;
}

const HEIGHT = 250;

/** A line chart over steps, which may be a logarithmic axis too. Its canvas is an image to screen readers; `summary` says what it shows. */
export function lineChart(label: string, points: boolean, logSteps = false) {
  const { host, element, resolve, size, axis: axisOf, onResize } = plotFrame(label, HEIGHT);
  let plot: uPlot | null = null;
  let shape = '';
  let state: ChartState | null = null;

  const build = (now: ChartState) => {
    plot?.destroy();
    const axis = axisOf();
    const options: uPlot.Options = {
      ...size(),
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { setScale: false, x: false, y: false } },
      scales: {
        x: {
          time: false,
          distr: logSteps ? 3 : 1,
          range: () => [logSteps ? 1 : 0, Math.max(2, state?.lastStep ?? 2)],
        },
        y: { distr: now.logScale ? 3 : 1, range: (_, low, high) => rangeOf(state ?? now, low, high) },
      },
      axes: [
        {
          ...axis,
          space: 60,
          size: 30,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
          values: (_, splits) => splits.map((split) => (split === null ? '' : tick(split))),
        },
        {
          ...axis,
          size: 52,
          ...(now.logScale && {
            splits: (_: uPlot, __: number, low: number, high: number) => logTicks(low, high),
            filter: (_: uPlot, splits: number[]) => splits,
          }),
          values: (_, splits) => splits.map((split) => (split === null ? '' : tick(split))),
        },
      ],
      series: [{}, ...now.curves.map((curve) => series(curve, resolve(colourOf(curve.run.style)), points))],
      hooks: { draw: [(self) => drawMarks(self, state?.marks ?? [], resolve)] },
    };
    plot = new uPlot(options, [[], ...now.curves.map(() => [])] as uPlot.AlignedData, host);
  };

  const show = (next: ChartState) => {
    state = next;
    const wanted = JSON.stringify([next.logScale, next.curves.map(({ run, faint }) => [run.style, faint])]);
    if (plot === null || wanted !== shape) build(next);
    shape = wanted;
    plot?.setData([next.steps, ...next.curves.map(({ values }) => values)] as uPlot.AlignedData);
  };
  onResize((room) => plot?.setSize(room));
  return {
    element,
    show,
    /** Colours changed. */
    restyle() {
      shape = '';
      if (state !== null) show(state);
    },
    /** In words, under a name of its own where the chart does not always show the same. */
    summarise: (text: string, name = label) => host.setAttribute('aria-label', `${name}. ${text}`),
  };
}

function series(curve: Curve, colour: string, points: boolean): uPlot.Series {
  return {
    stroke: curve.faint ? colour.replace('rgb(', 'rgba(').replace(')', ', 0.28)') : colour,
    width: curve.faint ? 1 : 2,
    dash: curve.faint ? [] : dashOf(curve.run.style),
    points: { show: points, size: 5, fill: colour },
    spanGaps: true,
  };
}

/** A cross at the top of the chart where a run diverged. */
function drawMarks(self: uPlot, marks: readonly EndMark[], resolve: (colour: string) => string): void {
  const { ctx, bbox } = self;
  const size = 5 * devicePixelRatio;
  for (const [index, { run, step }] of marks.entries()) {
    const x = self.valToPos(step, 'x', true);
    const y = bbox.top + size * 2 + index * size * 3;
    ctx.save();
    ctx.strokeStyle = resolve(colourOf(run.style));
    ctx.setLineDash([]);
    drawCross(ctx, x, y, size);
    ctx.restore();
  }
}
