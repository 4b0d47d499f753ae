import { bytes } from '../words/numbers';
/** A model of the hub that is known to work, or known not to fit. */
export interface HubPreset {
  name: string;
  repository: string;
  /** About; the exact size is asked before a download. */
  bytes: number;
  parameters: number;
  licence: string;
}

/** Models to begin with, small ones first. Where the maker's repository asks for an account, a copy of it is named. */
export const hubPresets: readonly HubPreset[] = [
  preset('SmolLM2 135M', 'HuggingFaceTB/SmolLM2-135M', 269e6, 134.5e6, 'Apache-2.0'),
  preset('Gemma 3 270M', 'unsloth/gemma-3-270m', 536e6, 268.1e6, 'Gemma Terms of Use'),
  preset('GPT-2', 'openai-community/gpt2', 548e6, 124.4e6, 'MIT'),
  preset('SmolLM2 360M', 'HuggingFaceTB/SmolLM2-360M', 724e6, 361.8e6, 'Apache-2.0'),
  preset('Qwen2.5 0.5B', 'Qwen/Qwen2.5-0.5B', 988e6, 494e6, 'Apache-2.0'),
  preset('Qwen3 0.6B', 'Qwen/Qwen3-0.6B', 1.5e9, 596e6, 'Apache-2.0'),
  preset('TinyLlama 1.1B', 'TinyLlama/TinyLlama-1.1B-Chat-v1.0', 2.2e9, 1100e6, 'Apache-2.0'),
  preset('Llama 3.2 1B', 'unsloth/Llama-3.2-1B', 2.5e9, 1235.8e6, 'Llama 3.2 Community License'),
];

function preset(
  name: string,
  repository: string,
  fileBytes: number,
  parameters: number,
  licence: string,
): HubPreset {
  return { name, repository, bytes: fileBytes, parameters, licence };
}

// On the CPU weights stay as the file packs them, and a wasm module addresses so many bytes. Shaders do not read BF16, in
// which folders have them, so that on WebGPU they are f32.
const WASM_LIMIT = 2 ** 32;
const BYTES_OF_F32 = 4;

/** About what the weights of a model take in memory, in bytes. */
export function memoryOf({ bytes: fileBytes, parameters }: HubPreset, engine: 'cpu' | 'webgpu'): number {
  return engine === 'cpu' ? fileBytes : parameters * BYTES_OF_F32;
}

/** Why weights of so many bytes will not fit into a tab on the CPU; empty where they may. */
export function tooLarge(needed: number | null): string {
  if (needed === null || needed < WASM_LIMIT) return '';
  return `Its weights need ${bytes(needed)} in memory, and on the CPU a tab has ${bytes(WASM_LIMIT)}: it works on WebGPU only.`;
}
