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

/** Models to begin with, small ones first. */
export const hubPresets: readonly HubPreset[] = [
  {
    name: 'SmolLM2 135M',
    repository: 'HuggingFaceTB/SmolLM2-135M',
    bytes: 271e6,
    parameters: 134.5e6,
    licence: 'Apache-2.0',
  },
  {
    name: 'GPT-2',
    repository: 'openai-community/gpt2',
    bytes: 550e6,
    parameters: 124.4e6,
    licence: 'MIT',
  },
  {
    name: 'SmolLM2 360M',
    repository: 'HuggingFaceTB/SmolLM2-360M',
    bytes: 726e6,
    parameters: 361.8e6,
    licence: 'Apache-2.0',
  },
  {
    name: 'TinyLlama 1.1B',
    repository: 'TinyLlama/TinyLlama-1.1B-Chat-v1.0',
    bytes: 2.2e9,
    parameters: 1100e6,
    licence: 'Apache-2.0',
  },
];

// Weights are f32 in memory, whatever the file holds, and a wasm module addresses so many bytes.
const BYTES_PER_WEIGHT = 4;
const WASM_LIMIT = 2 ** 32;

/** Why a model of so many weights will not fit into a tab on the CPU; empty where it may. */
export function tooLarge(parameters: number | null): string {
  if (parameters === null || parameters * BYTES_PER_WEIGHT < WASM_LIMIT) return '';
  const needed = bytes(parameters * BYTES_PER_WEIGHT);
  return `Its weights need ${needed} in memory, and on the CPU a tab has ${bytes(WASM_LIMIT)}: it works on WebGPU only.`;
}
