import fc from 'fast-check';

/** A change to bytes. */
type Wound = (bytes: Uint8Array) => Uint8Array<ArrayBuffer>;

const edges = [0, 1, 7, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

const wound: fc.Arbitrary<Wound> = fc
  .record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    kind: fc.constantFrom('flip', 'set', 'number', 'drain', 'insert', 'repeat', 'cut'),
    byte: fc.nat(255),
    length: fc.nat(48),
    number: fc.oneof(fc.constantFrom(...edges), fc.nat()),
  })
  .map(({ at, kind, byte, length, number }) => (bytes) => {
    const place = Math.floor(at * bytes.length);
    const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
    const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, number >>> 0, byte % 2 === 0);
    switch (kind) {
      case 'flip':
        return joined(before, Uint8Array.of((after[0] ?? 0) ^ (1 << (byte % 8))), after.subarray(1));
      case 'set':
        return joined(before, Uint8Array.of(byte), after.subarray(1));
      case 'number':
        return joined(before, word, after.subarray(4));
      case 'drain':
        return joined(before, after.subarray(length));
      case 'insert':
        return joined(before, new Uint8Array(length).fill(byte), after);
      case 'repeat':
        return joined(before, after.subarray(0, length), after);
      default:
        return joined(before);
    }
  });

/** One of `seeds`, with up to three wounds. */
export function wounded(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(wound, { maxLength: 3 }))
    .map(([seed, wounds]) => wounds.reduce((bytes, change) => change(bytes), Uint8Array.from(seed)));
}

/** A value of JSON that is seldom expected. */
const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, -1, 1e308, 5e-324, -0, 2 ** 53, '', '__proto__', '1e400', [], {}),
);

/** `value` with up to three values in it changed, removed or moved to another name. */
export function damaged(value: unknown): fc.Arbitrary<unknown> {
  const change = fc.record({
    path: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
    kind: fc.constantFrom('set', 'set', 'set', 'remove', 'rename', 'nest'),
    to: odd,
    name: fc.oneof(fc.constantFrom('__proto__', 'constructor', 'version', ''), fc.string()),
  });
  return fc.array(change, { maxLength: 3 }).map((changes) => {
    const root = { value: structuredClone(value) };
    for (const { path, kind, to, name } of changes) {
      let parent: Record<string, unknown> = root;
      let key = 'value';
      for (const step of path) {
        const next = parent[key];
        if (typeof next !== 'object' || next === null || Object.keys(next).length === 0) break;
        parent = next as Record<string, unknown>;
        const keys = Object.keys(parent);
        key = keys[step % keys.length] ?? key;
      }
      const old = parent[key];
      if (kind === 'remove' || kind === 'rename') delete parent[key];
      if (kind === 'rename')
        Object.defineProperty(parent, name, {
          value: old,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      if (kind === 'set') parent[key] = to;
      if (kind === 'nest') parent[key] = [old, { [name]: old }];
    }
    return root.value;
  });
}
