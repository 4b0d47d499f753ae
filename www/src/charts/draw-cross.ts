/** A cross of the current stroke around a point of a chart: there a run diverged. Sizes are in canvas pixels. */
export function drawCross(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.lineWidth = 2.5 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x + size, y - size);
  ctx.lineTo(x - size, y + size);
  ctx.stroke();
}
