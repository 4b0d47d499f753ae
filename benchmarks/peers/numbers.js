// The inputs of the works, as benchmarks/works/numbers.rs makes them, to the bit.

/** What a tensor is; each has a stream of numbers of its own. */
export const Kind = { weight: 1, a: 2, b: 3, input: 4, gradientA: 5, gradientB: 6, target: 7 };

/** Places of linear layers in a block: the order of `Target` in src/model/target.rs. */
export const Place = { q: 0, k: 1, v: 2, o: 3, gate: 4, up: 5, down: 6, head: 15 };

/** Bound of the numbers in `lora_b` and in gradients. */
const BOUND_B = 0.015625;

const stream = (kind, layer, place) => (kind << 16) + layer * 16 + place;

/** Mixes bits with the multipliers of Chris Wellons' lowbias32, https://nullprogram.com/blog/2018/07/31/. */
function hash(stream, index) {
  let bits = (Math.imul(stream, 0x9e3779b9) + index) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** `count` numbers, uniform in ±`bound`. */
function uniform(stream, count, bound) {
  const values = new Float32Array(count);
  const factor = Math.fround(bound);
  for (let index = 0; index < count; index += 1) {
    values[index] = Math.fround((hash(stream, index) >>> 8) / 8388608 - 1) * factor;
  }
  return values;
}

/** `count` whole numbers below `limit`. */
function below(stream, count, limit) {
  return Int32Array.from({ length: count }, (_, index) => hash(stream, index) % limit);
}

const root = (width) => Math.fround(1 / Math.fround(Math.sqrt(width)));

/** A frozen weight, [outputs, inputs]. */
export const weight = (layer, place, [outputs, inputs]) =>
  uniform(stream(Kind.weight, layer, place), outputs * inputs, root(inputs));

/** Activations, [rows, channels]. */
export const input = ([rows, channels]) => uniform(stream(Kind.input, 0, 0), rows * channels, 1);

/** Ids of the words to be predicted. */
export const targets = (rows, vocabulary) => below(stream(Kind.target, 0, 0), rows, vocabulary);

/** A factor, or the gradient of one. */
export function factor(kind, layer, place, [rows, columns]) {
  return uniform(stream(kind, layer, place), rows * columns, kind === Kind.a ? root(columns) : BOUND_B);
}
