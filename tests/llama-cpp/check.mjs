/**
 * Checks exported GGUF adapters in the real llama.cpp; scripts/check-llama-cpp makes the files and calls it.
 *
 *     check.mjs NODE_LLAMA_CPP MODELS EXPORTED GOLDEN TRAINED
 *
 * NODE_LLAMA_CPP   the installed npm package
 * MODELS           the bases as GGUF files: llama, gpt2, every family and tiny
 * EXPORTED         a folder each of llama, gpt2 and every family, of parts of layers and of rsLoRA: adapter.gguf,
 *                  adapter-f16.gguf, adapter-bf16.gguf, and our logits with the adapter, logits.json [rows, tokens, vocabulary];
 *                  of a family those of its GGUF file, logits-gguf.json, and without an adapter, base-gguf.json
 * GOLDEN           tests/fixtures/golden, with the logits of transformers without an adapter
 * TRAINED          what riemann-lora train and generate wrote about tiny: prompt.txt, base.txt, and answer.txt beside
 *                  adapter.gguf in a folder a run
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Differences that are allowed, as shares of the largest logit: of a base, and of adapters in each precision. llama.cpp
 * looks up GPT-2's GELU in a table of half precision. It rounds what goes into a factor like the factor itself, and the
 * random factors here change logits by more than the logits' own size, so halves are seen through a magnifying glass.
 */
const TOLERANCE = {
  llama: { base: 1e-5, 'adapter.gguf': 2e-5, 'adapter-f16.gguf': 2e-2, 'adapter-bf16.gguf': 2e-1 },
  gpt2: { base: 2e-3, 'adapter.gguf': 4e-3, 'adapter-f16.gguf': 2e-2, 'adapter-bf16.gguf': 2e-1 },
};
const OF_FAMILIES = TOLERANCE.llama;
/** Those with a GELU. */
for (const family of ['gemma2', 'gemma3', 'gpt_neox']) TOLERANCE[family] = TOLERANCE.gpt2;
/** What an adapter must change at least, for agreement to mean anything; the same share. That of a family is trained. */
const LEAST_CHANGE = 1;
const LEAST_CHANGE_OF_FAMILIES = 0.02;
const PRECISE = { flashAttention: false, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' };

function fail(what) {
  console.error(`FAILED: ${what}`);
  process.exit(1);
}

function readJson(...path) {
  return JSON.parse(readFileSync(join(...path), 'utf8'));
}

function check(what, error, allowed) {
  // Not `error > allowed`: NaN must fail.
  if (!(error <= allowed)) fail(`${what}: ${error.toExponential(1)}, and ${allowed.toExponential(0)} is allowed`);
  console.log(`${what}: ${error.toExponential(1)} (${allowed.toExponential(0)} allowed)`);
}

/** The largest absolute difference as a share of the largest value of `expected`. */
function difference(found, expected) {
  if (found.length !== expected.length) fail(`${found.length} logits, and ${expected.length} are expected`);
  let [error, largest] = [0, 0];
  for (const [index, value] of expected.entries()) {
    // Math.max keeps NaN.
    error = Math.max(error, Math.abs(found[index] - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return error / largest;
}

/** Logits of llama.cpp after each token of each row: [rows][tokens][vocabulary]. */
async function logitsOf(model, rows, lora) {
  const context = await model.createContext({ contextSize: 64, lora, ...PRECISE });
  const sequence = context.getSequence();
  const logits = [];
  for (const ids of rows) {
    await sequence.clearHistory();
    const asked = ids.map((id) => [id, { generateNext: { logits: true } }]);
    const answers = await sequence.controlledEvaluate(asked);
    logits.push(answers.map(({ next }) => [...next.logits].sort(([x], [y]) => x - y).map(([, logit]) => logit)));
  }
  await context.dispose();
  return logits;
}

/** Golden values of a base, and whether it is one of the families, which have their GGUF files. */
function goldenOf(goldenFolder, base) {
  const isFamily = !existsSync(join(goldenFolder, base));
  return { isFamily, golden: readJson(goldenFolder, ...(isFamily ? ['families'] : []), base, 'golden.json') };
}

async function checkLogits(llama, name, models, exported, goldenFolder) {
  const [base] = name.split('-');
  const { isFamily, golden } = goldenOf(goldenFolder, base);
  const tolerance = TOLERANCE[base] ?? OF_FAMILIES;
  const model = await llama.loadModel({ modelPath: join(models, `${base}.gguf`) });
  const rows = golden.batches[0].ids;

  const without = await logitsOf(model, rows);
  if (isFamily) {
    // A GGUF file cannot say all that a folder does; tests/everywhere/families.rs says what is not in it.
    const expected = readJson(exported, name, 'base-gguf.json');
    check(`${name}: logits of the base`, difference(without.flat(2), expected), tolerance.base);
  } else {
    const positions = golden.base.logits_positions;
    const atPositions = without.map((row) => positions.map((position) => row[position]));
    const error = difference(atPositions.flat(2), golden.base.logits.flat(2));
    check(`${name}: logits of the base`, error, tolerance.base);
  }

  const ours = readJson(exported, name, isFamily ? 'logits-gguf.json' : 'logits.json');
  const change = difference(without.flat(2), ours);
  const least = isFamily ? LEAST_CHANGE_OF_FAMILIES : LEAST_CHANGE;
  if (!(change > least)) fail(`${name}: the adapter changes logits by no more than ${change}`);
  for (const file of ['adapter.gguf', 'adapter-f16.gguf', 'adapter-bf16.gguf']) {
    const found = await logitsOf(model, rows, join(exported, name, file));
    check(`${name}: logits with ${file}`, difference(found.flat(2), ours), tolerance[file]);
  }
  console.log(`${name}: the adapter changes logits by ${change.toPrecision(2)}`);
  await model.dispose();
}

/** The likeliest token at each step, until the model ends its answer. */
async function greedyAnswer(model, prompt, lora) {
  const context = await model.createContext({ contextSize: 256, lora, ...PRECISE });
  const sequence = context.getSequence();
  const tokens = [];
  for await (const token of sequence.evaluate(model.tokenize(prompt), { temperature: 0 })) {
    if (model.isEogToken(token) || tokens.push(token) === 64) break;
  }
  await context.dispose();
  return model.detokenize(tokens);
}

async function checkTrained(llama, models, folder) {
  const model = await llama.loadModel({ modelPath: join(models, 'tiny.gguf') });
  const read = (...path) => readFileSync(join(folder, ...path), 'utf8').trimEnd();
  // With the line end that stands between prompt and completion.
  const prompt = readFileSync(join(folder, 'prompt.txt'), 'utf8');
  const runs = readdirSync(folder).filter((name) => name.startsWith('run-'));
  const expected = new Map([['base', read('base.txt')], ...runs.map((run) => [run, read(run, 'answer.txt')])]);
  if (runs.length === 0 || new Set(expected.values()).size !== expected.size) {
    fail(`training did not change the answer: ${JSON.stringify([...expected])}`);
  }
  for (const [name, ours] of expected) {
    const lora = name === 'base' ? undefined : join(folder, name, 'adapter.gguf');
    const theirs = (await greedyAnswer(model, prompt, lora)).trimEnd();
    if (theirs !== ours) fail(`tiny, ${name}: llama.cpp answers\n  ${theirs}\nand riemann-lora generate\n  ${ours}`);
    console.log(`tiny, ${name}: the same answer, ${JSON.stringify(ours)}`);
  }
  await model.dispose();
}

const [nodeLlamaCpp, models, exported, golden, trained] = process.argv.slice(2);
if (trained === undefined) fail('check.mjs NODE_LLAMA_CPP MODELS EXPORTED GOLDEN TRAINED');
const { getLlama } = await import(pathToFileURL(join(nodeLlamaCpp, 'dist/index.js')).href);
// It must be the package's own program: nothing is downloaded or compiled here. In models so small threads only wait for each
// other.
const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error', maxThreads: 1 });
console.log(`llama.cpp ${llama.llamaCppRelease.release}`);
for (const name of readdirSync(exported).sort()) await checkLogits(llama, name, models, exported, golden);
await checkTrained(llama, models, trained);
console.log('All agree.');
await llama.dispose();
