// Icons of one hue in another, so that a colour's word means the same beside every name.

/** Hue of each colour that a caption may name, in degrees. */
export const HUES = { red: 0, orange: 28, yellow: 52, green: 125, blue: 215, purple: 275, pink: 330 };

const COLOUR_WORDS = new Set([...Object.keys(HUES), 'black', 'white', 'brown', 'grey', 'rainbow']);

/** Whether a name says a colour itself. */
export const namesColour = (words) => words.some((word) => COLOUR_WORDS.has(word));

/** Hue in degrees, saturation and value from 0 to 1. */
function hsv([red, green, blue]) {
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (range === 0) return [0, 0, most / 255];
  let sector;
  if (most === red) sector = ((green - blue) / range + 6) % 6;
  else if (most === green) sector = (blue - red) / range + 2;
  else sector = (red - green) / range + 4;
  return [sector * 60, range / most, most / 255];
}

function rgb(hue, saturation, value) {
  const channel = (offset) => {
    const place = (offset + hue / 60) % 6;
    return Math.round(255 * (value - value * saturation * Math.max(0, Math.min(place, 4 - place, 1))));
  };
  return [channel(5), channel(3), channel(1)];
}

const distance = (hue, other) => Math.abs(((hue - other + 540) % 360) - 180);

function* pixels(picture) {
  for (let at = 0; at < picture.length; at += 3) yield picture.subarray(at, at + 3);
}

/**
 * The one hue of an icon; null where it has several or hardly any colour. At least 85% of its coloured pixels are within
 * 30 degrees of it, and at least half of what is drawn is coloured.
 */
export function onlyHue(picture) {
  let [x, y, drawn] = [0, 0, 0];
  const hues = [];
  for (const pixel of pixels(picture)) {
    const [hue, saturation, value] = hsv(pixel);
    if (saturation > 0.1 || value < 0.9) drawn++;
    if (saturation < 0.3 || value < 0.2) continue;
    hues.push(hue);
    x += Math.cos((hue * Math.PI) / 180);
    y += Math.sin((hue * Math.PI) / 180);
  }
  const mean = ((Math.atan2(y, x) * 180) / Math.PI + 360) % 360;
  const near = hues.filter((hue) => distance(hue, mean) <= 30).length;
  return hues.length >= drawn / 2 && near >= 0.85 * hues.length ? mean : null;
}

/** The colour word whose hue is the nearest. */
export function nearestColour(hue) {
  return Object.keys(HUES).sort((one, other) => distance(HUES[one], hue) - distance(HUES[other], hue))[0];
}

/** The picture with all hues turned so that `from` becomes the colour's. */
export function recoloured(picture, from, colour) {
  const result = new Uint8Array(picture.length);
  let at = 0;
  for (const pixel of pixels(picture)) {
    const [hue, saturation, value] = hsv(pixel);
    result.set(rgb((hue + HUES[colour] - from + 720) % 360, saturation, value), at);
    at += 3;
  }
  return result;
}
