import type { EngineName, WebgpuModule } from './engine-module';

/** What the user asks for. */
export type EnginePreference = 'auto' | EngineName;

/** An engine, and why it and no other. */
export interface EngineChoice {
  engine: EngineName;
  reason: string;
  /** Whether this browser offers a GPU that is worth using. */
  gpuUsable: boolean;
}

/** The part of WebGPU's adapter that the choice looks at. */
export interface AdapterFacts {
  vendor: string;
  architecture: string;
  description: string;
  fallback: boolean;
}

const softwareNames = /swiftshader|llvmpipe|softpipe|lavapipe|warp|basic render|software/i;

/** What is known of this browser's adapter: `undefined` without WebGPU, `null` without an adapter. */
export async function findAdapter(): Promise<AdapterFacts | null | undefined> {
  const gpu = (navigator as { gpu?: { requestAdapter(options: object): Promise<unknown> } }).gpu;
  if (gpu === undefined) return undefined;
  try {
    const adapter = (await gpu.requestAdapter({ powerPreference: 'high-performance' })) as {
      isFallbackAdapter?: boolean;
      info?: { vendor: string; architecture: string; description: string; isFallbackAdapter?: boolean };
    } | null;
    if (adapter === null) return null;
    const { info } = adapter;
    return {
      vendor: info?.vendor ?? '',
      architecture: info?.architecture ?? '',
      description: info?.description ?? '',
      fallback: info?.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false,
    };
  } catch {
    return null;
  }
}

/** WebGPU on a real adapter, else the CPU; a wish of the user's goes first where it can be fulfilled. */
export function chooseEngine(
  preference: EnginePreference,
  adapter: AdapterFacts | null | undefined,
  webgpu: WebgpuModule,
): EngineChoice {
  const cpu = (reason: string, gpuUsable = false): EngineChoice => ({ engine: 'cpu', reason, gpuUsable });
  if (adapter === undefined) return cpu('This browser has no WebGPU, so the CPU trains.');
  if (adapter === null) return cpu('WebGPU found no adapter, so the CPU trains.');
  const name = [adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(' ');
  const notBuilt = cpu(
    webgpu === 'to come'
      ? 'WebGPU is still being built here, and the page says when it is ready; until then the CPU trains.'
      : 'WebGPU is not part of this build of the page, so the CPU trains.',
  );
  if (preference === 'webgpu') {
    if (webgpu !== 'built') return notBuilt;
    return { engine: 'webgpu', reason: `You chose WebGPU (${name || 'unnamed adapter'}).`, gpuUsable: true };
  }
  if (adapter.fallback || softwareNames.test(name)) {
    return cpu(
      `The WebGPU adapter is a software one (${name || 'unnamed'}); the CPU module is faster.`,
      true,
    );
  }
  if (preference === 'cpu') return cpu('You chose the CPU.', true);
  if (webgpu !== 'built') return notBuilt;
  return { engine: 'webgpu', reason: `WebGPU adapter: ${name || 'unnamed'}.`, gpuUsable: true };
}
