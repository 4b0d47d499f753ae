// One session of the WebGPU module without the page around it, with everything counted that it asks of the GPU;
// dispatches.spec.ts serves and drives it.
import { answer } from './answers.js';

const counted = { dispatches: 0, uploads: 0, uploadedBytes: 0, copies: 0, readBacks: 0 };
// The counts at each read-back. Where a step is measured in parts, each part ends with one.
let marks = [];
// How often each kernel ran since the last read-back, by the name of its entry point.
let kernels = {};

// count(KIND, METHOD, CHANGE): calls CHANGE with the arguments of each call of METHOD.
function count(kind, method, change) {
  const original = kind.prototype[method];
  kind.prototype[method] = function (...given) {
    change(...given);
    return original.apply(this, given);
  };
}

function countAll() {
  const names = new WeakMap();
  for (const method of ['createComputePipeline', 'createComputePipelineAsync']) {
    const original = GPUDevice.prototype[method];
    GPUDevice.prototype[method] = function (descriptor) {
      const made = original.call(this, descriptor);
      const named = (pipeline) => names.set(pipeline, descriptor.compute.entryPoint ?? descriptor.label);
      if (made instanceof Promise) made.then(named);
      else named(made);
      return made;
    };
  }
  let current = '';
  count(GPUComputePassEncoder, 'setPipeline', (pipeline) => {
    current = names.get(pipeline);
  });
  const dispatch = () => {
    counted.dispatches += 1;
    kernels[current] = (kernels[current] ?? 0) + 1;
  };
  count(GPUComputePassEncoder, 'dispatchWorkgroups', dispatch);
  count(GPUComputePassEncoder, 'dispatchWorkgroupsIndirect', dispatch);
  count(GPUQueue, 'writeBuffer', (_buffer, _offset, data, start, size) => {
    const width = ArrayBuffer.isView(data) ? (data.BYTES_PER_ELEMENT ?? 1) : 1;
    counted.uploads += 1;
    counted.uploadedBytes += size === undefined ? data.byteLength - (start ?? 0) * width : size * width;
  });
  count(GPUDevice, 'createBuffer', ({ size, mappedAtCreation }) => {
    if (mappedAtCreation) {
      counted.uploads += 1;
      counted.uploadedBytes += size;
    }
  });
  count(GPUCommandEncoder, 'copyBufferToBuffer', () => {
    counted.copies += 1;
  });
  count(GPUBuffer, 'mapAsync', (mode) => {
    if (mode === GPUMapMode.READ) {
      counted.readBacks += 1;
      marks.push({ ...counted, kernels });
      kernels = {};
    }
  });
}

let engine;
let session;

answer({
  async load({ files, data, dataSettings }) {
    if (engine === undefined) {
      countAll();
      engine = await import('/module/riemann_lora.js');
      await engine.default();
      await engine.start_engine();
    }
    const model = Object.entries(files).map(([name, bytes]) => new File([bytes], name));
    session = await engine.WebSession.load_model(model, () => true);
    await session.load_data(
      'data.txt',
      new TextEncoder().encode(data),
      undefined,
      undefined,
      dataSettings,
      () => true,
    );
  },
  async configure(settings) {
    session.configure(settings);
  },
  async step() {
    const before = { ...counted };
    marks = [];
    kernels = {};
    const began = performance.now();
    const report = await session.step();
    const seconds = (performance.now() - began) / 1000;
    return { report, seconds, marks: [before, ...marks, { ...counted }] };
  },
});
