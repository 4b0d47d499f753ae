import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { checkConfig } from '../../src/config/check';
import { defaultConfig } from '../../src/config/defaults';
import { writeConfig } from '../../src/config/serialise';
import { linkTo, readLink } from '../../src/share/link';
import { defaultTheory } from '../../src/theory/config';
import { readTheoryLink, theoryLink } from '../../src/theory/link';
import { damaged, wounded } from './damage';
import { fuzz } from './fuzz';

const page = 'https://example.org/lab/';
const sound = JSON.parse(writeConfig(defaultConfig())) as unknown;

const packed = (bytes: Uint8Array | string) =>
  `#language/settings=${deflateRawSync(bytes).toString('base64url')}`;

const fragments = fc.oneof(
  // Settings that no page wrote, packed as a page would.
  damaged(sound).map((settings) => packed(JSON.stringify(settings))),
  wounded([new TextEncoder().encode(JSON.stringify(sound))]).map(packed),
  // A link that was cut or changed on its way.
  wounded([deflateRawSync(JSON.stringify(sound))]).map(
    (bytes) => `#language/settings=${Buffer.from(bytes).toString('base64url')}`,
  ),
  fc.string().map((text) => `#language/settings=${text}`),
  fc
    .constantFrom(0, 1, 2 ** 18 - 1, 2 ** 18, 2 ** 18 + 1, 2 ** 21)
    .map((length) => packed(' '.repeat(length))),
);

fuzz('links with settings', 2_000, fragments, async (fragment) => {
  const read = await readLink(fragment);
  if (read === null || !read.ok) return false;
  const { config } = read.value;
  // What was taken can be checked, shown and sent on; what is wrong in it is said by its field.
  checkConfig(config);
  const again = await readLink(new URL(await linkTo(page, config)).hash);
  if (again === null || !again.ok) throw new Error('settings that were taken make no link');
  if (JSON.stringify(again.value.config) !== JSON.stringify(config))
    throw new Error('a link changes settings');
  return true;
});

const theory = theoryLink(page, defaultTheory()).slice(page.length);
const theoryFragments = fc.oneof(
  wounded([new TextEncoder().encode(theory)]).map((bytes) => new TextDecoder().decode(bytes)),
  fc
    .array(
      fc.tuple(
        fc.constantFrom(...new URLSearchParams(theory.slice('#theory/'.length)).keys()),
        fc.oneof(fc.string(), fc.double().map(String)),
      ),
    )
    .map((pairs) => `#theory/${new URLSearchParams(pairs)}`),
);

fuzz('links with a problem', 4_000, theoryFragments, (fragment) => {
  const read = readTheoryLink(fragment);
  if (read === null || !read.ok) return false;
  const again = readTheoryLink(theoryLink(page, read.value).slice(page.length));
  if (again === null || !again.ok) throw new Error('a problem that was taken makes no link');
  return true;
});
