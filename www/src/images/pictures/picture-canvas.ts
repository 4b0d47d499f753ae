import { h } from '../../controls/dom';

/** A small picture whose pixels stay sharp however large it is shown. To screen readers it is nothing: who shows it says what it is. */
export function pictureCanvas(pixels: Uint8ClampedArray<ArrayBuffer>, size: number): HTMLCanvasElement {
  const canvas = h('canvas', { class: 'pixels', 'aria-hidden': 'true', width: size, height: size });
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, size, size), 0, 0);
  return canvas;
}
