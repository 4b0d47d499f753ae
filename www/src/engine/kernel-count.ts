interface Device {
  createComputePipeline(description: unknown): unknown;
}

/** Tells from now on how many kernels WebGPU has compiled in this worker, at each one. */
export function countKernels(tell: (count: number) => void): void {
  const device = (globalThis as { GPUDevice?: { prototype: Device } }).GPUDevice?.prototype;
  if (device === undefined) return;
  const create = device.createComputePipeline;
  let count = 0;
  device.createComputePipeline = function (description) {
    count += 1;
    tell(count);
    return create.call(this, description);
  };
}
