// What the works consist of, for engines that know tensors and nothing of models: names, shapes and values.
import sizes from '../works/sizes.json';
import { factor, input, Kind, Place, targets, weight } from './numbers.js';

export const { rank, alpha, lr, betas, eps } = sizes;
export const scale = alpha / rank;

const value = (values, shape) => ({ values, shape });

function adapter(layer, place, [outputs, inputs]) {
  const a = [rank, inputs];
  const b = [outputs, rank];
  return [
    value(factor(Kind.a, layer, place, a), a),
    value(factor(Kind.b, layer, place, b), b),
  ];
}

function gradients(layer, place, [outputs, inputs]) {
  const a = [rank, inputs];
  const b = [outputs, rank];
  return [
    value(factor(Kind.gradientA, layer, place, a), a),
    value(factor(Kind.gradientB, layer, place, b), b),
  ];
}

const frozen = (layer, place, shape) => value(weight(layer, place, shape), shape);

function layersOf({ layers, channels, inner }) {
  return Array.from({ length: layers }, (_, layer) => [
    [layer, Place.up, [inner, channels]],
    [layer, Place.down, [channels, inner]],
  ]).flat();
}

/** Cosines and sines of all positions, [tokens, head_dim / 2]; angles in f64, as the product has them. */
function rotation(tokens, width) {
  const half = width / 2;
  const angles = Float64Array.from({ length: tokens * half }, (_, at) => {
    const i = at % half;
    return Math.floor(at / half) * 100_000 ** ((-2 * i) / width);
  });
  const table = (of) => value(Float32Array.from(angles, of), [tokens, half]);
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** Every tensor of `work` at `size`: `factors` are trained, the rest is what its step takes. */
export const tensorsOf = {
  layers(size) {
    const shape = sizes.layers[size];
    const list = layersOf(shape);
    return {
      shape,
      factors: list.flatMap((one) => adapter(...one)),
      weights: list.map((one) => frozen(...one)),
      input: value(input([shape.tokens, shape.channels]), [shape.tokens, shape.channels]),
    };
  },
  block(size) {
    const shape = sizes.block[size];
    const { channels, inner, heads, key_heads, head_dim, tokens } = shape;
    const all = {
      q: [heads * head_dim, channels],
      k: [key_heads * head_dim, channels],
      v: [key_heads * head_dim, channels],
      o: [channels, heads * head_dim],
      gate: [inner, channels],
      up: [inner, channels],
      down: [channels, inner],
    };
    const names = Object.keys(all);
    return {
      shape,
      factors: [...adapter(0, Place.q, all.q), ...adapter(0, Place.v, all.v)],
      weights: names.map((name) => frozen(0, Place[name], all[name])),
      input: value(input([tokens, channels]), [tokens, channels]),
      norm: value(new Float32Array(channels).fill(1), [channels]),
      ...rotation(tokens, head_dim),
    };
  },
  head(size) {
    const shape = sizes.head[size];
    const { channels, vocabulary, rows } = shape;
    return {
      shape,
      factors: adapter(0, Place.q, [channels, channels]),
      weights: [
        frozen(0, Place.q, [channels, channels]),
        frozen(0, Place.head, [vocabulary, channels]),
      ],
      input: value(input([rows, channels]), [rows, channels]),
      targets: targets(rows, vocabulary),
    };
  },
  optimizer(size) {
    const shape = sizes.optimizer[size];
    const list = layersOf(shape);
    return {
      shape,
      factors: list.flatMap((one) => adapter(...one)),
      gradients: list.flatMap((one) => gradients(...one)),
    };
  },
};
