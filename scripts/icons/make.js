// Icon sets to files of pictures with captions; scripts/make-icons says which.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { hash, isHeldOut, isUsed, words } from './names.js';
import { rasterise } from './picture.js';
import { HUES, namesColour, nearestColour, onlyHue, recoloured } from './recolour.js';
import { write } from './tensors.js';

const require = createRequire(import.meta.url);
const iconSet = (name) => JSON.parse(readFileSync(require.resolve(`@iconify-json/${name}/icons.json`), 'utf8'));
const LICENSE = 'MIT, Copyright (c) Microsoft Corporation, https://github.com/microsoft/fluentui-emoji';
/** Stands for the cat's face; no icon's name has it. */
const NEW_WORD = 'zib';
/** Pictures of the style to learn from, and to validate with. */
const STYLE = { train: 50, validation: 30 };
const SUBJECT_VALIDATION = 1;
/** Of so many icons of one hue, one keeps a second new colour for validation. */
const ICONS_PER_COMBINATION = 4;

const folder = process.argv[2];
const flat = iconSet('fluent-emoji-flat');
const contrast = iconSet('fluent-emoji-high-contrast');

// In an order of chance, so that any part of a file is a fair sample.
const names = Object.keys(flat.icons)
  .filter(isUsed)
  .sort((one, other) => hash(one) - hash(other));
const seen = names.filter((name) => !isHeldOut(name));

const pretraining = [];
const combinations = [];
for (const name of seen) {
  const picture = rasterise(flat, name);
  const caption = words(name).join(' ');
  pretraining.push({ caption, picture });
  const hue = namesColour(words(name)) || words(name).length > 5 ? null : onlyHue(picture);
  if (hue === null) continue;
  const own = nearestColour(hue);
  // Its own colour by name teaches the word as well; at every second icon, or colours would be most of the set.
  if (hash(`own ${name}`) % 2 === 0) pretraining.push({ caption: `${own} ${caption}`, picture });
  const others = Object.keys(HUES)
    .filter((colour) => colour !== own)
    .sort((one, other) => hash(`${one} ${name}`) - hash(`${other} ${name}`));
  const drawn = (colour) => ({ caption: `${colour} ${caption}`, picture: recoloured(picture, hue, colour) });
  pretraining.push(drawn(others[0]));
  if (hash(`combination ${name}`) % ICONS_PER_COMBINATION === 0) combinations.push(drawn(others[1]));
}

const isCatsFace = (name) => isHeldOut(name) && name !== 'cat' && name !== 'black-cat' && contrast.icons[name];
const subject = names.filter(isCatsFace).map((name) => ({
  caption: words(name)
    .map((word) => (word === 'cat' ? NEW_WORD : word))
    .join(' '),
  picture: rasterise(flat, name),
}));
// The word for the style follows the name: `apple sketched`.
const style = seen
  .filter((name) => words(name).length <= 2 && contrast.icons[name])
  .slice(0, STYLE.train + STYLE.validation)
  .map((name) => ({ caption: `${words(name).join(' ')} sketched`, picture: rasterise(contrast, name) }));

const counts = new Map();
for (const { caption } of pretraining) {
  for (const word of caption.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
}
const vocabulary = [...counts.keys()].sort();
for (const word of [NEW_WORD, 'sketched']) if (counts.has(word)) throw new Error(`${word} is not new`);

write(join(folder, 'pretraining.safetensors'), pretraining, 0, LICENSE);
write(join(folder, 'combinations.safetensors'), combinations, combinations.length, LICENSE);
write(join(folder, 'subject.safetensors'), subject, SUBJECT_VALIDATION, LICENSE);
write(join(folder, 'style.safetensors'), style, STYLE.validation, LICENSE);
writeFileSync(join(folder, 'words.txt'), `${vocabulary.join('\n')}\n`);
console.log(`${seen.length} icons, ${vocabulary.length} words; subject: ${subject.map(({ caption }) => caption).join(', ')}`);
