/** What a method came to at one value. */
export interface RobustnessPoint {
  value: number;
  /** The mean where there are several seeds; null where one diverged. */
  loss: number | null;
  /** The lowest and the highest of several seeds. */
  range?: readonly [number, number];
}

/** One method: its final losses over what was varied. */
export interface RobustnessLine {
  style: number;
  /** At rising values. */
  points: RobustnessPoint[];
  /** Where its loss is lowest. */
  best: number | null;
}

/** What the robustness chart shows. */
export interface RobustnessState {
  lines: RobustnessLine[];
  /** Loss before any step. */
  baseLoss: number | null;
  /** Losses above are shown at the top edge. */
  ceiling: number;
}

/** What stands for one run: its point, or at the top edge a cross where it diverged and an arrow where it is far above. */
export interface RobustnessMark {
  kind: 'point' | 'cross' | 'arrow';
  style: number;
  value: number;
  loss: number | null;
  /** Whether it is the best of its method. */
  best: boolean;
  /** Counts methods, so that marks at the top edge do not cover each other. */
  row: number;
}

/** The values that any method was tried at, rising. */
export function valuesOf({ lines }: RobustnessState): number[] {
  const all = lines.flatMap(({ points }) => points.map(({ value }) => value));
  return [...new Set(all)].sort((one, other) => one - other);
}

/** What a logarithmic axis of these values spans. */
export function valueRange(values: readonly number[]): [number, number] {
  const [low = 1, high = 1] = [values[0], values.at(-1)];
  const room = low === high ? 2 : (high / low) ** 0.06;
  return [low / room, high * room];
}

/** What the axis of losses spans. */
export function lossRange({ lines, baseLoss, ceiling }: RobustnessState): [number, number] {
  const losses = lines.flatMap(({ points }) =>
    points.flatMap(({ loss, range }) => (loss === null ? [] : [loss, ...(range ?? [])])),
  );
  const shown = [...losses.filter((loss) => loss <= ceiling), ...(baseLoss === null ? [] : [baseLoss])];
  if (shown.length === 0) return [0, 1];
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const room = Math.max(high - low, Math.abs(high) * 0.02);
  // The top is for runs that have no place in the chart.
  return [low - room * 0.08, high + room * 0.22];
}

/**
 * Outlines of what lies between the lowest and the highest seed: along the highest, and back along the lowest. A value
 * without several seeds ends one; what is above the ceiling is drawn at it.
 */
export function bandsOf({ points }: RobustnessLine, ceiling: number): { value: number; loss: number }[][] {
  const stretches: RobustnessPoint[][] = [[]];
  for (const point of points) {
    if (point.range === undefined || point.loss === null) stretches.push([]);
    else stretches.at(-1)?.push(point);
  }
  return stretches
    .filter((stretch) => stretch.length > 0)
    .map((stretch) => {
      const edge = (side: 0 | 1) =>
        stretch.map(({ value, range }) => ({ value, loss: Math.min(ceiling, range?.[side] ?? 0) }));
      return [...edge(1), ...edge(0).reverse()];
    });
}

/** A mark for each run. */
export function marksOf(state: RobustnessState): RobustnessMark[] {
  const [, top] = lossRange(state);
  return state.lines.flatMap(({ style, points, best }, row) =>
    points.map(({ value, loss }) => {
      const kind = loss === null ? 'cross' : loss > top ? 'arrow' : 'point';
      return { kind, style, value, loss, best: kind === 'point' && value === best, row };
    }),
  );
}

/** How far below the top edge a mark of this row is, in pixels of CSS. */
export function edgeOf(row: number): number {
  return 9 + 13 * row;
}
