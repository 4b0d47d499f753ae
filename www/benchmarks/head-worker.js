// A work of benchmarks/works on the CPU module, and how much memory it took; head.spec.ts asks.
import { answer } from './answers.js';

let work;

answer({
  async prepare({ name, size }) {
    const module = await import('/works/cpu/works.js');
    await module.default();
    work = await module.BenchWork.prepare(name, size);
  },
  async bytes() {
    return work.step_bytes();
  },
  async step() {
    const began = performance.now();
    const loss = await work.step();
    return { seconds: (performance.now() - began) / 1000, loss };
  },
});
