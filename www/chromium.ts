/** Flags for every Chromium that tests and benchmarks start; without them it asks for hosts that no test may reach. */
export const quiet = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const webgpu = [...quiet, '--enable-unsafe-webgpu', '--enable-features=Vulkan'];

/** With the WebGPU adapter that needs no card. */
export const softwareWebgpu = [...webgpu, '--use-webgpu-adapter=swiftshader'];

/** With the machine's own adapter where WEBGPU_ADAPTER says so, else the software one. */
export const benchedWebgpu = process.env.WEBGPU_ADAPTER === 'native' ? webgpu : softwareWebgpu;
