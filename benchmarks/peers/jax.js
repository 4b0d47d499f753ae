// jax-js: the whole step is one jitted function. It counts references: `.ref` where a value is used once more.
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { betas, eps, lr, scale, tensorsOf } from './shapes.js';
import { answer } from './worker.js';

const array = ({ values, shape }) => np.array(values).reshape(shape);

/** x·Wᵀ, and what an adapter adds to it. */
function linear(x, weight, a, b) {
  if (a === undefined) return np.matmul(x, np.transpose(weight));
  const base = np.matmul(x.ref, np.transpose(weight));
  const low = np.matmul(x, np.transpose(a)).mul(scale);
  return base.add(np.matmul(low, np.transpose(b)));
}

function rmsNorm(x, norm) {
  const mean = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.mul(np.reciprocal(np.sqrt(mean.add(1e-5)))).mul(norm);
}

/** Losses of the works, of their factors and of what is frozen. */
const losses = {
  layers() {
    return (factors, { weights, input }) => {
      let x = input;
      for (let layer = 0; layer < weights.length / 2; layer += 1) {
        const [upA, upB, downA, downB] = factors.slice(4 * layer, 4 * layer + 4);
        const inner = linear(x.ref, weights[2 * layer], upA, upB);
        x = x.add(linear(inner, weights[2 * layer + 1], downA, downB));
      }
      return np.mean(np.square(x));
    };
  },
  block({ tokens, heads, key_heads, head_dim }) {
    const rotate = (x, cos, sin) => {
      const [first, second] = np.split(x, 2, -1);
      return np.concatenate(
        [
          first.ref.mul(cos.ref).sub(second.ref.mul(sin.ref)),
          second.mul(cos).add(first.mul(sin)),
        ],
        -1,
      );
    };
    const split = (x, heads) => x.reshape([tokens, heads, head_dim]);
    return ([qA, qB, vA, vB], { weights: [q, k, v, o, gate, up, down], input, norm, cos, sin }) => {
      const cosines = cos.reshape([tokens, 1, head_dim / 2]);
      const sines = sin.reshape([tokens, 1, head_dim / 2]);
      let normed = rmsNorm(input.ref, norm.ref);
      const queries = rotate(split(linear(normed.ref, q, qA, qB), heads), cosines.ref, sines.ref);
      const keys = rotate(split(linear(normed.ref, k), key_heads), cosines, sines);
      const values = split(linear(normed, v, vA, vB), key_heads);
      const attended = nn.dotProductAttention(queries, keys, values, { isCausal: true });
      const x = input.add(linear(attended.reshape([tokens, heads * head_dim]), o));
      normed = rmsNorm(x.ref, norm);
      const inner = nn.silu(linear(normed.ref, gate)).mul(linear(normed, up));
      return np.mean(np.square(x.add(linear(inner, down))));
    };
  },
  head({ vocabulary }) {
    return ([a, b], { weights: [weight, head], input, targets }) => {
      const rows = input.ref.add(linear(input, weight, a, b));
      const logits = np.matmul(rows, np.transpose(head));
      const wanted = nn.oneHot(targets, vocabulary);
      return np.mean(nn.logsumexp(logits.ref, -1).sub(np.sum(logits.mul(wanted), -1)));
    };
  },
};

/** AdamW of one factor; `fix1` and `fix2` correct the moments' bias. */
function adam(factor, gradient, first, second, fix1, fix2) {
  const [beta1, beta2] = betas;
  const m = first.mul(beta1).add(gradient.ref.mul(1 - beta1));
  const v = second.mul(beta2).add(np.square(gradient).mul(1 - beta2));
  const root = np.sqrt(v.ref.mul(fix2)).add(eps);
  return [factor.sub(m.ref.mul(fix1).div(root).mul(lr)), m, v];
}

function adamOfAll(factors, gradients, first, second, fix1, fix2) {
  const all = factors.map((factor, index) =>
    adam(factor, gradients[index], first[index], second[index], fix1.ref, fix2.ref),
  );
  fix1.dispose();
  fix2.dispose();
  return [0, 1, 2].map((part) => all.map((one) => one[part]));
}

answer(async ({ engine, work, size }) => {
  const device = engine === 'cpu' ? 'wasm' : 'webgpu';
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no ${device} here`);
  defaultDevice(device);
  const { factors: values, gradients: given, shape, targets, weights, ...rest } = tensorsOf[work](size);
  const zeros = () => values.map(({ shape }) => np.zeros(shape));
  let state = [values.map(array), zeros(), zeros()];
  let done = 0;
  const fixes = () => {
    done += 1;
    return betas.map((beta) => np.array(1 / (1 - beta ** done)));
  };
  if (work === 'optimizer') {
    const gradients = given.map(array);
    const update = jit((factors, first, second, gradients, fix1, fix2) =>
      adamOfAll(factors, gradients, first, second, fix1, fix2),
    );
    return {
      about: {},
      async step() {
        state = update(...state, tree.ref(gradients), ...fixes());
        await blockUntilReady(state);
        return 0;
      },
      async check() {
        const [mean] = await np.mean(np.square(state[0].at(-1).ref)).data();
        return mean;
      },
    };
  }
  const frozen = Object.fromEntries(Object.entries(rest).map(([name, one]) => [name, array(one)]));
  frozen.weights = weights.map(array);
  if (targets !== undefined) frozen.targets = np.array(targets, { dtype: np.int32 });
  const loss = losses[work](shape);
  const whole = (factors, first, second, frozen, fix1, fix2) => {
    const [value, gradients] = valueAndGrad(loss)(tree.ref(factors), frozen);
    return [value, adamOfAll(factors, gradients, first, second, fix1, fix2)];
  };
  // Jitted, the head's step asks for more than 4 GiB where the vocabulary is a real one; without, it is also faster, but
  // the loss is then wrong there (jax-js 0.1.25), which the comparison finds.
  const step = work === 'head' ? whole : jit(whole);
  return {
    about: {},
    async step() {
      const [value, next] = step(...state, tree.ref(frozen), ...fixes());
      state = next;
      const [[number]] = await Promise.all([value.data(), blockUntilReady(state)]);
      return number;
    },
    check: async (loss) => loss,
  };
});
