import { bytes } from '../words/numbers';
/** A model of the hub that is known to work, or known not to fit. */
export interface HubPreset {
  name: string;
  repository: string;
  /** About; the exact size is asked before a download. */
  bytes: number;
  /**
   * What its weights take in memory, in bytes, on both engines: they stay as the files have them, and a head that is the
   * embedding is held once. tests/everywhere/presets.rs counts it.
   */
  memory: number;
  licence: string;
}

/** Models to begin with, small ones first. Where the maker's repository asks for an account, a copy of it is named. */
export const hubPresets: readonly HubPreset[] = [
  preset('SmolLM2 135M', 'HuggingFaceTB/SmolLM2-135M', 269e6, 269e6, 'Apache-2.0'),
  preset('Gemma 3 270M', 'unsloth/gemma-3-270m', 536e6, 536e6, 'Gemma Terms of Use'),
  preset('GPT-2', 'openai-community/gpt2', 548e6, 498e6, 'MIT'),
  preset('SmolLM2 360M', 'HuggingFaceTB/SmolLM2-360M', 724e6, 724e6, 'Apache-2.0'),
  preset('Qwen2.5 0.5B', 'Qwen/Qwen2.5-0.5B', 988e6, 988e6, 'Apache-2.0'),
  preset('Qwen3 0.6B', 'Qwen/Qwen3-0.6B', 1.5e9, 1.19e9, 'Apache-2.0'),
  preset('TinyLlama 1.1B', 'TinyLlama/TinyLlama-1.1B-Chat-v1.0', 2.2e9, 2.2e9, 'Apache-2.0'),
  preset('Llama 3.2 1B', 'unsloth/Llama-3.2-1B', 2.5e9, 2.47e9, 'Llama 3.2 Community License'),
];

function preset(
  name: string,
  repository: string,
  fileBytes: number,
  memory: number,
  licence: string,
): HubPreset {
  return { name, repository, bytes: fileBytes, memory, licence };
}

// What a wasm module addresses.
const WASM_LIMIT = 2 ** 32;

/** Why weights of so many bytes will not fit into a tab on the CPU; empty where they may. */
export function tooLarge(needed: number | null): string {
  if (needed === null || needed < WASM_LIMIT) return '';
  return `Its weights need ${bytes(needed)} in memory, and on the CPU a tab has ${bytes(WASM_LIMIT)}: it works on WebGPU only.`;
}
