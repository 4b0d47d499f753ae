/** What a picture's first bytes tell, before it is decoded. */
export interface ImageFacts {
  kind: 'png' | 'jpeg' | 'webp' | 'gif' | 'svg';
  /** Pixels; 0 where the header does not tell, as of most SVGs. */
  width: number;
  height: number;
  animated: boolean;
}

/** Reads the header of a PNG, JPEG, WebP, GIF or SVG; null for everything else, and for one that is cut off. */
export function imageFacts(bytes: Uint8Array): ImageFacts | null {
  const starts = (...first: number[]) => first.every((byte, index) => bytes[index] === byte);
  try {
    if (starts(0x89, 0x50, 0x4e, 0x47)) return png(bytes);
    if (starts(0xff, 0xd8, 0xff)) return jpeg(bytes);
    if (ascii(bytes, 0, 4) === 'GIF8') return gif(bytes);
    if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 4) === 'WEBP') return webp(bytes);
    return svg(bytes);
  } catch {
    // A read beyond the end.
    return null;
  }
}

const ascii = (bytes: Uint8Array, at: number, length: number) =>
  String.fromCharCode(...bytes.subarray(at, at + length));

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function png(bytes: Uint8Array): ImageFacts {
  const view = viewOf(bytes);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  let animated = false;
  // Chunks: length, name, content, check sum. That of an animation comes before the first with pixels.
  for (let at = 8; at + 8 <= bytes.length; at += view.getUint32(at) + 12) {
    const name = ascii(bytes, at + 4, 4);
    if (name === 'acTL') animated = true;
    if (name === 'IDAT') break;
  }
  return { kind: 'png', width, height, animated };
}

function jpeg(bytes: Uint8Array): ImageFacts | null {
  const view = viewOf(bytes);
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    // Bytes that fill up, and markers without content.
    if (marker === 0xff) at += 1;
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2;
    else {
      // Start of frame, in all variants; C4, C8 and CC are something else.
      const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      if (frame) return { kind: 'jpeg', width, height, animated: false };
      at += 2 + view.getUint16(at + 2);
    }
  }
  return null;
}

function webp(bytes: Uint8Array): ImageFacts | null {
  const view = viewOf(bytes);
  const form = ascii(bytes, 12, 4);
  const facts = (width: number, height: number, animated = false): ImageFacts => ({
    kind: 'webp',
    width,
    height,
    animated,
  });
  if (form === 'VP8X') {
    const three = (at: number) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1;
    return facts(three(24), three(27), (view.getUint8(20) & 2) !== 0);
  }
  if (form === 'VP8L') {
    const bits = view.getUint32(21, true);
    return facts((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1);
  }
  if (form === 'VP8 ') return facts(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  return null;
}

function gif(bytes: Uint8Array): ImageFacts {
  const view = viewOf(bytes);
  const [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  const tableBytes = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let at = 13 + tableBytes(view.getUint8(10));
  const skipBlocks = () => {
    while (at < bytes.length && view.getUint8(at) !== 0) at += view.getUint8(at) + 1;
    at += 1;
  };
  let frames = 0;
  while (at + 1 < bytes.length && frames < 2) {
    const kind = view.getUint8(at);
    if (kind === 0x21) {
      at += 2;
      skipBlocks();
    } else if (kind === 0x2c && at + 10 < bytes.length) {
      frames += 1;
      at += 11 + tableBytes(view.getUint8(at + 9));
      skipBlocks();
    } else break;
  }
  return { kind: 'gif', width, height, animated: frames > 1 };
}

function svg(bytes: Uint8Array): ImageFacts | null {
  const start = new TextDecoder().decode(bytes.subarray(0, 4096)).replace(/^\uFEFF/, '');
  const body = start.replace(/<!--[\s\S]*?(-->|$)|<\?[\s\S]*?(\?>|$)|<!DOCTYPE[^>]*(>|$)/gi, '').trim();
  return /^<svg[\s>]/i.test(body) ? { kind: 'svg', width: 0, height: 0, animated: false } : null;
}
