// TensorFlow.js: its own products, gradients and Adam (which is AdamW without weight decay).
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { getThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { alpha, betas, eps, lr, scale, tensorsOf } from './shapes.js';
import { answer } from './worker.js';

const tensor = ({ values, shape }) => tf.tensor(values, shape);

/** x·Wᵀ, and what an adapter adds to it. */
function linear(x, weight, a, b) {
  const base = tf.matMul(x, weight, false, true);
  if (a === undefined) return base;
  const low = tf.mul(tf.matMul(x, a, false, true), scale);
  return tf.add(base, tf.matMul(low, b, false, true));
}

const rmsNorm = (x, norm) =>
  tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-5))), norm);

/** Losses of the works, of their factors. */
const losses = {
  layers({ weights, input }) {
    return (factors) => {
      let x = input;
      for (let layer = 0; layer < weights.length / 2; layer += 1) {
        const [upA, upB, downA, downB] = factors.slice(4 * layer, 4 * layer + 4);
        const inner = linear(x, weights[2 * layer], upA, upB);
        x = tf.add(x, linear(inner, weights[2 * layer + 1], downA, downB));
      }
      return tf.mean(tf.square(x));
    };
  },
  block({ weights: [q, k, v, o, gate, up, down], input, norm, cos, sin, shape }) {
    const { tokens, heads, key_heads, head_dim } = shape;
    const group = heads / key_heads;
    const causal = tf.tidy(() => {
      const positions = tf.range(0, tokens);
      const later = tf.greater(tf.expandDims(positions, 0), tf.expandDims(positions, 1));
      return tf.mul(tf.cast(later, 'float32'), -1e9);
    });
    const [cosines, sines] = [cos, sin].map((table) => tf.expandDims(table, 1));
    const rotate = (x) => {
      const [first, second] = tf.split(x, 2, -1);
      return tf.concat(
        [
          tf.sub(tf.mul(first, cosines), tf.mul(second, sines)),
          tf.add(tf.mul(second, cosines), tf.mul(first, sines)),
        ],
        -1,
      );
    };
    const split = (x, heads) => tf.reshape(x, [tokens, heads, head_dim]);
    return ([qA, qB, vA, vB]) => {
      let x = input;
      let normed = rmsNorm(x, norm);
      let queries = rotate(split(linear(normed, q, qA, qB), heads));
      let keys = rotate(split(linear(normed, k), key_heads));
      let values = split(linear(normed, v, vA, vB), key_heads);
      queries = tf.reshape(tf.transpose(queries, [1, 0, 2]), [key_heads, group * tokens, head_dim]);
      keys = tf.transpose(keys, [1, 0, 2]);
      values = tf.transpose(values, [1, 0, 2]);
      const scores = tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(head_dim));
      const masked = tf.add(tf.reshape(scores, [key_heads * group, tokens, tokens]), causal);
      const shares = tf.reshape(tf.softmax(masked), [key_heads, group * tokens, tokens]);
      let attended = tf.reshape(tf.matMul(shares, values), [heads, tokens, head_dim]);
      attended = tf.reshape(tf.transpose(attended, [1, 0, 2]), [tokens, heads * head_dim]);
      x = tf.add(x, linear(attended, o));
      normed = rmsNorm(x, norm);
      const open = linear(normed, gate);
      const inner = tf.mul(tf.mul(open, tf.sigmoid(open)), linear(normed, up));
      x = tf.add(x, linear(inner, down));
      return tf.mean(tf.square(x));
    };
  },
  head({ weights: [weight, head], input, targets, shape }) {
    const wanted = tf.oneHot(tf.tensor1d(targets, 'int32'), shape.vocabulary);
    return ([a, b]) => {
      const rows = tf.add(input, linear(input, weight, a, b));
      return tf.losses.softmaxCrossEntropy(wanted, tf.matMul(rows, head, false, true));
    };
  },
};

answer(async ({ engine, work, size }) => {
  setWasmPaths('/tfjs/');
  if (!(await tf.setBackend(engine === 'cpu' ? 'wasm' : 'webgpu'))) throw new Error('no backend');
  await tf.ready();
  const { factors, gradients, shape, targets, weights, ...rest } = tensorsOf[work](size);
  const variables = factors.map((factor) => tf.variable(tensor(factor)));
  const optimizer = tf.train.adam(lr, ...betas, eps);
  const last = variables.at(-1);
  // A number of the last factor is there when the update is over.
  const end = async () => {
    const one = tf.slice(last, [0, 0], [1, 1]);
    await one.data();
    one.dispose();
  };
  const about = {
    version: tf.version_core,
    threads: engine === 'cpu' ? getThreadsCount() : undefined,
    alpha,
  };
  if (work === 'optimizer') {
    const named = gradients.map((gradient, index) => ({
      name: variables[index].name,
      tensor: tensor(gradient),
    }));
    return {
      about,
      async step() {
        optimizer.applyGradients(named);
        await end();
        return 0;
      },
      async check() {
        const mean = tf.tidy(() => tf.mean(tf.square(last)));
        const [value] = await mean.data();
        mean.dispose();
        return value;
      },
    };
  }
  const made = Object.fromEntries(Object.entries(rest).map(([name, one]) => [name, tensor(one)]));
  const loss = losses[work]({ ...made, weights: weights.map(tensor), shape, targets });
  return {
    about,
    async step() {
      const { value, grads } = tf.variableGrads(() => loss(variables), variables);
      optimizer.applyGradients(grads);
      const read = Promise.all([value.data(), end()]);
      const [[number]] = await read;
      tf.dispose([value, grads]);
      return number;
    },
    check: async (loss) => loss,
  };
});
