// The most that a core computes: benchmarks/ceiling.rs, compiled by scripts/bench-cpu.
import { answer } from './answers.js';

const REPETITIONS = 4_000_000;
/** Multiplications and additions of one repetition. */
const OPERATIONS = 80;

answer({
  /** 10⁹ operations a second of the module at this address, the best of eight tries. */
  async ceiling(address) {
    const { instance } = await WebAssembly.instantiateStreaming(fetch(address));
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 8; i += 1) {
      const began = performance.now();
      instance.exports.ceiling(REPETITIONS);
      least = Math.min(least, performance.now() - began);
    }
    return (OPERATIONS * REPETITIONS) / least / 1e6;
  },
});
