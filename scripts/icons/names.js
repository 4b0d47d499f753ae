// Which icons are used, and what they are called.

/** Most words of a caption: the places of the model's text encoder. */
export const MOST_WORDS = 6;

const SKIN_TONE = /-(light|medium-light|medium|medium-dark|dark)$/;
// People come in three sexes and up to forty occupations, and Japanese buttons and clocks differ in strokes that 24 pixels
// do not show: they would be a third of the set.
const TOO_ALIKE = /^(man|woman|person|mx)-|^japanese-.*-button$|-facing-|-(oclock|thirty)$/;

/** Whether an icon is of the family that is held out: every name that has a cat in it. */
export const isHeldOut = (name) => name.split('-').includes('cat');

/** An icon's name as words. */
export const words = (name) => name.split('-');

/** Whether an icon takes part at all. */
export const isUsed = (name) => !SKIN_TONE.test(name) && !TOO_ALIKE.test(name) && words(name).length <= MOST_WORDS;

/** A number from 0 to 2³² that depends on nothing but `text` (FNV-1a), to choose by. */
export function hash(text) {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  // The last byte reaches the upper bits only by another round.
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) >>> 0;
  return (value ^ (value >>> 13)) >>> 0;
}
