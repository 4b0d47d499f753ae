// A work of benchmarks/works on the CPU module, and how much memory it took; head.spec.ts asks.
import { answer } from './answers.js';

let memory;
let work;

answer({
  async prepare({ name, size }) {
    const module = await import('/works/cpu/works.js');
    ({ memory } = await module.default());
    work = await module.BenchWork.prepare(name, size);
    return memory.buffer.byteLength;
  },
  /** Memory of a wasm module never shrinks, so what it has afterwards is its peak. */
  async step() {
    const began = performance.now();
    const loss = await work.step();
    return { seconds: (performance.now() - began) / 1000, loss, bytes: memory.buffer.byteLength };
  },
});
