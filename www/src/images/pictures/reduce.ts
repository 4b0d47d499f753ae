/** A rectangle within a square. */
export interface FittedArea {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The largest rectangle of the shape `width` × `height` in the middle of a square. */
export function fitted(width: number, height: number, side: number): FittedArea {
  const scale = side / Math.max(width, height);
  const [w, h] = [width * scale, height * scale];
  return { x: (side - w) / 2, y: (side - h) / 2, width: w, height: h };
}

/** Whether a pixel well within the box lets something through; those at its edge are shared with what is beside it. */
export function isTransparent(rgba: Uint8ClampedArray, side: number, box: FittedArea): boolean {
  const [left, right] = [Math.ceil(box.x) + 1, Math.floor(box.x + box.width) - 1];
  const [top, bottom] = [Math.ceil(box.y) + 1, Math.floor(box.y + box.height) - 1];
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) if ((rgba[(y * side + x) * 4 + 3] ?? 255) < 255) return true;
  }
  return false;
}

/** RGB bytes of a square picture on white, `factor` times smaller: each pixel is the mean of factor × factor. */
export function reduced(rgba: Uint8ClampedArray, side: number, factor: number): Uint8Array<ArrayBuffer> {
  const size = side / factor;
  const result = new Uint8Array(size * size * 3);
  for (let to = 0; to < result.length; to += 1) {
    const [channel, pixel] = [to % 3, Math.floor(to / 3)];
    const [left, top] = [(pixel % size) * factor, Math.floor(pixel / size) * factor];
    let sum = 0;
    for (let y = top; y < top + factor; y += 1) {
      for (let x = left; x < left + factor; x += 1) {
        const at = (y * side + x) * 4;
        const alpha = (rgba[at + 3] ?? 0) / 255;
        sum += (rgba[at + channel] ?? 0) * alpha + 255 * (1 - alpha);
      }
    }
    result[to] = Math.round(sum / factor ** 2);
  }
  return result;
}
