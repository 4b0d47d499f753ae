/** Width and height of the pictures that the page's text-to-image model draws. */
export const PICTURE_SIZE = 24;

/** A picture with its caption. */
export interface Picture {
  /** Where it comes from: a file's name, or its caption. */
  name: string;
  caption: string;
  /** [size, size, 3], bytes of sRGB on white. */
  pixels: Uint8Array<ArrayBuffer>;
}

/** Pictures to learn from. */
export interface PictureSet {
  /** What the user calls it. */
  name: string;
  pictures: readonly Picture[];
  /** So many of the last ones are validated with, and not trained on. */
  validation: number;
}

/** The pixels as a canvas takes them. */
export function rgba(pixels: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const all = new Uint8ClampedArray((pixels.length / 3) * 4).fill(255);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    all.set(pixels.subarray(from, from + 3), to);
  }
  return all;
}
