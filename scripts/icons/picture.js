// SVG to pixels.

import { Resvg } from '@resvg/resvg-js';

/** Width and height of all pictures. */
export const SIZE = 24;
// Drawn so many times larger and averaged: smoother edges than the rasteriser's own at this size.
const OVERSAMPLING = 4;

/** Bytes of an icon on white, [24, 24, 3], sRGB. `color` is what `currentColor` means. */
export function rasterise(set, name, color = 'black') {
  const icon = set.icons[name];
  const [width, height] = [icon.width ?? set.width, icon.height ?? set.height];
  // A few icons are narrower than high; they keep their shape.
  const whole = Math.max(width, height);
  const box = [(width - whole) / 2, (height - whole) / 2, whole, whole].join(' ');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}" color="${color}">${icon.body}</svg>`;
  const side = SIZE * OVERSAMPLING;
  const drawn = new Resvg(svg, { background: 'white', fitTo: { mode: 'width', value: side } }).render();
  return reduced(drawn.pixels, side);
}

function reduced(pixels, side) {
  const result = new Uint8Array(SIZE * SIZE * 3);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let dy = 0; dy < OVERSAMPLING; dy++) {
          for (let dx = 0; dx < OVERSAMPLING; dx++) {
            sum += pixels[((y * OVERSAMPLING + dy) * side + x * OVERSAMPLING + dx) * 4 + channel];
          }
        }
        result[(y * SIZE + x) * 3 + channel] = Math.round(sum / OVERSAMPLING ** 2);
      }
    }
  }
  return result;
}
